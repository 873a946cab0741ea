//! Five services write their logs, and `tributary -F` shows them as one
//! stream, coloured on a terminal, for ten seconds.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use signal_hook::consts::SIGTERM;

/// Each service, and what it has to say.
const SERVICES: [(&str, &[&str]); 5] = [
    ("proxy.log", &["GET / 200", "GET /login 200", "POST /login 302", "GET /favicon.ico 404"]),
    ("database.log", &["checkpoint complete", "slow query: 812 ms", "connection received"]),
    ("mail.log", &["message queued", "message delivered", "greylisted, trying again"]),
    ("worker.log", &["backup: started", "backup: 1207 files", "backup: done"]),
    ("auth.log", &["session opened for ada", "3 failed logins for root", "session closed for ada"]),
];

/// How long it goes on.
const DURATION: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("there is a place for five log files");
    for (name, says) in SERVICES {
        let mut log = File::create(folder.path().join(name)).expect("a log file can be made");
        thread::spawn(move || {
            for line in says.iter().cycle() {
                thread::sleep(Duration::from_millis(fastrand::u64(100..1000)));
                if writeln!(log, "{line}").is_err() {
                    return;
                }
            }
        });
    }
    thread::spawn(|| {
        thread::sleep(DURATION);
        signal_hook::low_level::raise(SIGTERM).expect("a process may signal itself");
    });

    // A source has its colour by its path: so it is the same each time.
    std::env::set_current_dir(&folder).expect("the folder is there");
    let flags = ["tributary", "-F", "--prefix", "name"];
    let logs = SERVICES.iter().map(|(name, _)| *name);
    tributary_cli::run(flags.into_iter().chain(logs).map(OsString::from))
}
