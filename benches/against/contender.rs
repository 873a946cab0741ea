//! The contenders: a name, and how each is started.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// The argument that makes this program the floor.
pub(crate) const FLOOR: &str = "--floor";

/// Who takes part.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    pub(crate) name: String,
    program: PathBuf,
    flags: Vec<OsString>,
    /// Whether it opens the output itself, after `-o`, or writes to stdout.
    opens_output: bool,
    /// Whether it is `tributary`: it takes `--follow`, and a wrong output always ends
    /// the bench.
    pub(crate) must_be_right: bool,
}

impl Contender {
    /// `tributary` with this stage, or with the one that it takes by default.
    pub(crate) fn tributary(program: &Path, stage: Option<&str>) -> Contender {
        let flags = stage.into_iter().flat_map(|stage| ["--stage".into(), stage.into()]);
        Contender {
            name: stage.map_or("tributary".into(), |stage| format!("tributary, stage {stage}")),
            program: program.into(),
            flags: flags.collect(),
            opens_output: true,
            must_be_right: true,
        }
    }

    /// `cat`, which puts one file behind the other.
    pub(crate) fn cat() -> Contender {
        Contender::rival("cat", "cat", &[])
    }

    /// `tail -f`, from the first line on.
    pub(crate) fn tail() -> Contender {
        Contender::rival("tail -f", "tail", &["-q", "-n", "+1", "-f"])
    }

    /// The floor: a reading and a writing thread, with three buffers of 1 MiB.
    pub(crate) fn floor() -> anyhow::Result<Contender> {
        let here = env::current_exe().context("this program does not know where it lies")?;
        Ok(Contender { program: here, ..Contender::rival("two threads", "", &[FLOOR]) })
    }

    fn rival(name: &str, program: &str, flags: &[&str]) -> Contender {
        Contender {
            name: name.into(),
            program: program.into(),
            flags: flags.iter().map(Into::into).collect(),
            opens_output: false,
            must_be_right: false,
        }
    }

    /// Returns the same contender with more flags, and a suffix that tells it apart in
    /// the table.
    pub(crate) fn with(&self, flags: &[OsString], suffix: &str) -> Contender {
        let mut with = self.clone();
        with.flags.extend_from_slice(flags);
        with.name += suffix;
        with
    }

    /// Returns the command that merges `sources` into `output`, a file.
    pub(crate) fn command(&self, sources: &[PathBuf], output: &Path) -> anyhow::Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(&self.flags);
        if self.opens_output {
            command.arg("-o").arg(output);
        } else {
            let file = File::create(output)
                .with_context(|| format!("cannot make {}", output.display()))?;
            command.stdout(file);
        }
        command.args(sources);
        Ok(command)
    }
}
