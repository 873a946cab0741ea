//! An output that nobody reads for a while: whose loop does it block?

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use rustix::io::ioctl_fionread;
use stages::STAGES;
use testkit::{Ended, Folder, Running, open_fifo, until};

use crate::process::tributary;

/// A merge whose output is a full FIFO.
pub(crate) struct Blocked {
    pub(crate) merge: Running,
    fifo: File,
}

impl Blocked {
    /// Starts a merge of `a.log`, with these flags, into the FIFO `name`; waits until that is
    /// full.
    pub(crate) fn start(folder: &Folder, name: &str, flags: &[&str]) -> Blocked {
        let fifo = open_fifo(&folder.path(name));
        let args = [&["a.log", "-o", name], flags].concat();
        let merge = Running::start(folder, tributary(folder, &args).stdout(Stdio::null()));
        until("the FIFO is full", || ioctl_fionread(&fifo).unwrap() > 60_000);
        Blocked { merge, fifo }
    }

    /// Waits until the merge has said `what`.
    pub(crate) fn until_said(&self, what: &str) {
        until("it is said", || self.merge.said().contains(what));
    }

    /// Reads the FIFO to its end; returns how the merge ended, and what was read.
    pub(crate) fn read(mut self) -> (Ended, String) {
        let mut merged = String::new();
        self.fifo.read_to_string(&mut merged).unwrap();
        (self.merge.end(), merged)
    }
}

/// Writes to `a.log` more than a FIFO takes, and than a merge reads at once; returns it.
pub(crate) fn fill(folder: &Folder) -> String {
    let lines = "line\n".repeat(1_000_000);
    folder.append("a.log", &lines);
    lines
}

#[test]
fn a_blocked_output_blocks_the_loop_of_tasks_and_of_no_other_stage() {
    let folder = Folder::new();
    let lines = fill(&folder);
    // Longer than a thread waits for a processor on a busy machine.
    let blocked = |stage| Blocked::start(&folder, stage, &["--debug=1500ms", "--stage", stage]);
    let others = STAGES.iter().filter(|stage| stage.short_name() != "tasks");
    let others: Vec<_> = others.map(|stage| blocked(stage.name)).collect();
    // Blocked last: once this one says so, the others have been blocked for longer.
    let tasks = blocked("tasks");
    tasks.until_said("`append` of a.log blocks it, in task ");
    for other in others {
        let (ended, merged) = other.read();
        assert_eq!(ended.with(0).stderr, "");
        assert!(merged == lines);
    }
    let (ended, merged) = tasks.read();
    ended.with(0);
    assert!(merged == lines);
}
