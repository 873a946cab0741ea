//! An output that nobody reads for a while: whose loop does it block?

use std::fs::File;
use std::io::Read;

use rustix::io::ioctl_fionread;
use stages::STAGES;
use testkit::{Ended, Folder, Running, make_fifo, until};

use crate::process::tributary;

/// A merge whose output is a FIFO, which is full.
pub(crate) struct Blocked {
    merge: Running,
    /// Both ends, so that nobody who opens one has to wait for the other.
    fifo: File,
    name: String,
}

impl Blocked {
    /// Merges `a.log`, with these flags, until the FIFO is full.
    pub(crate) fn start(folder: &Folder, stage: &str, flags: &[&str]) -> Blocked {
        let name = format!("{stage}.fifo");
        make_fifo(&folder.path(&name));
        let fifo = File::options().read(true).write(true).open(folder.path(&name)).unwrap();
        let args = [&["a.log", "-o", &name, "--stage", stage], flags].concat();
        let merge = Running::start(folder, &mut tributary(folder, &args));
        until("the FIFO is full", || ioctl_fionread(&fifo).unwrap() > 60_000);
        Blocked { merge, fifo, name }
    }

    pub(crate) fn merge(&self) -> &Running {
        &self.merge
    }

    /// Waits until the merge has said something.
    pub(crate) fn until_said(&self, what: &str) {
        until("it is said", || self.merge.said().contains(what));
    }

    /// Reads all that there is, and returns it.
    pub(crate) fn read(self, folder: &Folder) -> (Ended, String) {
        let mut reader = File::open(folder.path(&self.name)).unwrap();
        drop(self.fifo);
        let mut merged = String::new();
        reader.read_to_string(&mut merged).unwrap();
        (self.merge.end(), merged)
    }
}

/// More than a FIFO takes.
pub(crate) fn fill(folder: &Folder) -> String {
    let lines: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    folder.append("a.log", &lines);
    lines
}

#[test]
fn a_blocked_output_blocks_the_loop_of_tasks_and_of_no_other_stage() {
    let folder = Folder::new();
    let lines = fill(&folder);
    // Longer than a busy machine leaves a thread alone.
    let blocked = |stage| Blocked::start(&folder, stage, &["--debug=1500ms"]);
    let others = STAGES.iter().filter(|stage| stage.short_name() != "tasks");
    let others: Vec<_> = others.map(|stage| blocked(stage.name)).collect();
    // The last to be blocked, so that the others have been blocked for longer
    // when it says so.
    let tasks = blocked("tasks");
    tasks.until_said("`append` of a.log blocks it, in task ");
    for other in others {
        let (ended, merged) = other.read(&folder);
        assert_eq!(ended.with(0).stderr, "");
        assert!(merged == lines);
    }
    let (ended, merged) = tasks.read(&folder);
    ended.with(0);
    assert!(merged == lines);
}
