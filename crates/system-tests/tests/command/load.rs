//! A log under load, and a merge of it.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use stages::STAGES;
use system_tests::{Daemon, Lost, Reopen, lost, lost_by_truncation};
use testkit::{Folder, Running, until};

use crate::TRIBUTARY;

/// A daemon that writes `app.log`, and a merge that follows it to `merged.log`.
pub(crate) struct Load {
    pub(crate) folder: Folder,
    pub(crate) daemon: Daemon,
    pub(crate) merge: Running,
}

/// What is left of a load that has ended.
pub(crate) struct Done {
    /// The number of the last line that was written.
    pub(crate) last: u64,
    /// What the merge has said.
    pub(crate) said: String,
    pub(crate) folder: Folder,
}

impl Load {
    /// Starts daemon and merge, and waits until something is merged.
    pub(crate) fn start(stage: &str, flags: &[&str], reopen: Reopen) -> Load {
        let folder = Folder::new();
        let daemon = Daemon::start(&folder.path("app.log"), reopen);
        let mut command = Command::new(TRIBUTARY);
        command.args(["-F", "app.log", "-o", "merged.log", "--stage", stage]).args(flags);
        command.current_dir(folder.folder()).stdin(Stdio::null());
        let merge = Running::start(&folder, &mut command);
        let load = Load { folder, daemon, merge };
        load.wait_for_output();
        load
    }

    /// Waits until the output has lines.
    pub(crate) fn wait_for_output(&self) {
        let output = self.folder.path("merged.log");
        until("the output has lines", || fs::metadata(&output).is_ok_and(|it| it.len() > 0));
    }

    /// Ends the daemon, and then the merge in good order.
    pub(crate) fn end(self) -> Done {
        let last = self.daemon.end();
        Done { last, said: self.merge.terminate().with(0).stderr, folder: self.folder }
    }
}

impl Done {
    /// Returns which lines are missing in the merged file.
    pub(crate) fn lost(&self) -> Vec<Lost> {
        lost(&self.merged(), self.last)
    }

    /// Returns which lines are missing of a log that was truncated.
    pub(crate) fn lost_by_truncation(&self) -> Vec<Lost> {
        lost_by_truncation(&self.merged(), self.last)
    }

    fn merged(&self) -> Vec<u8> {
        fs::read(self.folder.path("merged.log")).unwrap()
    }

    /// Counts the files whose names begin so.
    pub(crate) fn count(&self, begin: &str) -> usize {
        let files = fs::read_dir(self.folder.folder()).unwrap().flatten();
        files.filter(|it| it.file_name().to_string_lossy().starts_with(begin)).count()
    }
}

/// Tries all stages at once, since each waits most of the time.
pub(crate) fn in_every_stage(test: impl Fn(&'static str) + Sync) {
    thread::scope(|scope| {
        for stage in STAGES {
            scope.spawn(|| test(stage.name));
        }
    });
}
