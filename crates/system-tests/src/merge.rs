//! A merge that follows, in a thread of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use stages::{STAGES, Stage};
use testkit::{BOUND, until};
use tributary::{Error, Options, Plan, Report, Stop};

/// Returns a stage by its number, from 1.
pub fn stage(number: usize) -> &'static Stage {
    &STAGES[number - 1]
}

/// A running merge of one log.
#[derive(Debug)]
pub struct Merge {
    output: PathBuf,
    stop: Stop,
    ended: Receiver<Result<Report, Error>>,
}

impl Merge {
    /// Opens the plan, which follows, and starts `stage` on it.
    pub fn start(stage: &'static Stage, log: &Path, options: Options) -> Merge {
        let output = log.with_file_name("the-output");
        let plan = Plan::open([log], &output, Options { follow: true, ..options }).unwrap();
        let stop = plan.stop.clone();
        let (send, ended) = mpsc::channel();
        let thread = thread::Builder::new().name(stage.name.into());
        thread.spawn(move || send.send((stage.merge)(plan))).unwrap();
        Merge { output, stop, ended }
    }

    /// Waits until something has come out.
    pub fn wait_for_output(&self) {
        until("something is merged", || fs::metadata(&self.output).unwrap().len() > 0);
    }

    /// Requests the stop, waits for the end and returns the merged file.
    pub fn stop(self) -> Vec<u8> {
        self.stop.request();
        let report = self.ended.recv_timeout(BOUND).expect("ends after the stop").unwrap();
        let merged = fs::read(&self.output).unwrap();
        assert_eq!(report.bytes, merged.len() as u64);
        merged
    }
}
