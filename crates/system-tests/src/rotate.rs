//! The real `logrotate`, with a configuration and a state of its own.

use std::fs;
use std::path::{Path, PathBuf};

use crate::programs::program;

/// A configuration for one log.
#[derive(Debug)]
pub struct Logrotate {
    config: PathBuf,
    state: PathBuf,
}

impl Logrotate {
    /// Writes the configuration beside `log`, with these directives in addition.
    pub fn new(log: &Path, directives: &str) -> Logrotate {
        let config = log.with_file_name("logrotate.conf");
        let text = format!(
            "{:?} {{\n    rotate 20\n    nodateext\n    missingok\n{directives}\n}}\n",
            log.to_str().unwrap()
        );
        fs::write(&config, text).unwrap();
        // `logrotate` refuses a configuration that others may write to.
        fs::set_permissions(&config, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        Logrotate { config, state: log.with_file_name("logrotate.state") }
    }

    /// Rotates now.
    ///
    /// # Panics
    ///
    /// Panics if `logrotate` is missing, or fails.
    pub fn force(&self) {
        let mut logrotate = program("logrotate", "logrotate");
        logrotate.arg("--force").arg("--state").arg(&self.state).arg(&self.config);
        let done = logrotate.output().unwrap();
        // It may say something: gzip warns of a file that is still written to.
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "logrotate: {}, {said}", done.status);
    }
}
