//! What `/proc` says about a running process.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io};

/// The threads and the memory of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Status {
    /// How many threads the process has now.
    pub threads: Option<u64>,
    /// The peak of resident memory so far, in bytes.
    pub peak_memory: Option<u64>,
}

impl Status {
    /// Reads the status of a process by its id; `None` if the process is gone, or there
    /// is no `/proc`.
    pub fn of(process: u32) -> Option<Status> {
        let status = read(format!("/proc/{process}/status")).ok()?;
        let peak_memory = number(&status, "VmHWM").map(|kibibytes| kibibytes * 1024);
        Some(Status { threads: number(&status, "Threads"), peak_memory })
    }
}

/// Counts the threads of this process; `None` where there is no `/proc`. One system
/// call, cheap enough for each look at a source.
pub fn threads() -> Option<u64> {
    // A directory has one link for each directory in it, and two for itself.
    // `/proc/self/task` holds a directory for each thread.
    let links = fs::metadata("/proc/self/task").ok()?.nlink();
    links.checked_sub(2).filter(|&threads| threads > 0)
}

/// What the threads of a process have done so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Activity {
    /// The time that they were on a core.
    pub cpu: Duration,
    /// How often they were woken: as often as they had given up their core.
    pub wakeups: u64,
    /// When the figures were read.
    pub at: Instant,
}

impl Activity {
    /// Adds up the living threads of a process: one that has ended counts no more.
    /// `None` if the process is gone, or there is no `/proc`.
    pub fn of(process: u32) -> Option<Activity> {
        let at = Instant::now();
        let (mut nanos, mut wakeups) = (0, 0);
        for thread in fs::read_dir(format!("/proc/{process}/task")).ok()? {
            let thread = thread.ok()?.path();
            // A thread that has ended since the folder was opened is skipped.
            let Ok(times) = read(thread.join("schedstat")) else { continue };
            let Ok(status) = read(thread.join("status")) else { continue };
            nanos += times.split_whitespace().next()?.parse::<u64>().ok()?;
            wakeups += number(&status, "voluntary_ctxt_switches")?;
        }
        Some(Activity { cpu: Duration::from_nanos(nanos), wakeups, at })
    }
}

/// Reads a file of `/proc`. Not as a text: the name of a thread is cut after 15 bytes, also
/// within a character.
fn read(file: impl AsRef<Path>) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(file)?).into_owned())
}

/// Returns the number in a line of a `status` file, by the name of the line.
fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.strip_prefix(':')?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    #[cfg(target_os = "linux")]
    fn what_the_threads_of_a_process_do_is_added_up() {
        use std::io::Write;
        // Of another process: in this one, other tests start and end threads.
        let mut cat = Command::new("cat");
        let mut cat = cat.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut stdin = cat.stdin.take().unwrap();
        let of_cat = || Activity::of(cat.id()).unwrap();
        let (before, begun) = (of_cat(), Instant::now());
        let mut after = before;
        while after.cpu <= before.cpu || after.wakeups <= before.wakeups {
            assert!(begun.elapsed() < Duration::from_secs(60), "{before:?}, {after:?}");
            stdin.write_all(b"a line\n").unwrap();
            after = of_cat();
        }
        assert!(after.at > before.at);
        let status = Status::of(cat.id()).unwrap();
        assert!(status.threads == Some(1) && status.peak_memory > Some(1024), "{status:?}");
        drop(stdin);
        cat.wait().unwrap();
        assert_eq!((Status::of(u32::MAX), Activity::of(u32::MAX)), (None, None));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_whose_name_the_system_has_cut_within_a_character_is_read() {
        use std::os::unix::process::CommandExt;
        // Of a name the system keeps 15 bytes, and each of these letters has two.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("обработчик");
        std::os::unix::fs::symlink("/bin/cat", &path).unwrap();
        let mut cat = Command::new(&path);
        let mut cat = cat.arg0("cat").stdin(Stdio::piped()).spawn().unwrap();
        let seen = (Status::of(cat.id()), Activity::of(cat.id()));
        drop(cat.stdin.take());
        cat.wait().unwrap();
        let (Some(status), Some(activity)) = seen else { panic!("{seen:?}") };
        assert!(
            status.threads == Some(1) && activity.cpu > Duration::ZERO,
            "{status:?}, {activity:?}"
        );
    }
}
