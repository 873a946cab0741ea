//! A law in a process of its own: the test executable, started once more.

use std::env;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::bound::{self, TriedBy};
use crate::broken::{Broken, Verdict};

/// Tells the process that it is the child, and where its verdict goes.
const VERDICT_FILE: &str = "CONFORMANCE_ALONE";

/// Tries `law` in a process of its own.
///
/// Other tests run beside this one, in threads: the figures of this process would not
/// be those of the law.
pub(crate) fn alone(law: impl FnOnce() -> Verdict) -> Verdict {
    if let Some(file) = env::var_os(VERDICT_FILE) {
        let verdict = law();
        let said = verdict.as_ref().map_or_else(|broken| broken.to_string(), |()| String::new());
        fs::write(file, said).expect("the verdict can be handed over");
        return verdict;
    }

    let test = match bound::tried_by() {
        TriedBy::Process => return law(),
        TriedBy::Test(test) => test,
        TriedBy::Nothing => panic!("a law that needs a process is tried by a test, or in one"),
    };
    let began = Instant::now();
    let folder = tempfile::tempdir().expect("a law needs a folder");
    let (verdict, log) = (folder.path().join("verdict"), folder.path().join("log"));
    let log_file = fs::File::create(&log).expect("the child needs a log");
    let mut child = Command::new(env::current_exe().expect("a test has an executable"))
        .args([&test, "--exact", "--nocapture", "--test-threads=1"])
        .env(VERDICT_FILE, &verdict)
        // Files that a killed child leaves behind go with our folder.
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(log_file.try_clone().expect("a file has a second handle"))
        .stderr(log_file)
        .spawn()
        .expect("the test can be started once more");
    while child.try_wait().expect("the child can be waited for").is_none() {
        // The child has the same bound, and some time to say what it waited for.
        if began.elapsed() > bound::bound() + Duration::from_secs(15) {
            // It may have ended just now; the wait below takes it away in any case.
            let _ = child.kill();
            let _ = child.wait();
            return Err(bound::passed("the process of this law ends"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    match fs::read_to_string(&verdict) {
        Ok(said) if said.is_empty() => Ok(()),
        Ok(said) => Err(Broken::from_message(said)),
        Err(_) => panic!(
            "the process of this law ended without a verdict: {}",
            fs::read_to_string(&log).unwrap_or_default()
        ),
    }
}

/// Returns the most memory that this process ever had, in bytes.
pub(crate) fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("this law needs Linux's /proc");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    1024 * kib.unwrap_or_else(|| panic!("there is no VmHWM here: {status}"))
}
