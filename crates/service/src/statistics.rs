use std::io::{self, Write};
use std::net::SocketAddr;
use std::{fmt, mem};

use tracing::warn_span;

/// What was served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served {
    /// How many clients have connected and left.
    pub clients: u64,
    /// How many lines they sent, all together.
    pub lines: u64,
}

/// The statistics: a line for each client that has left.
pub struct Statistics {
    output: Box<dyn Write + Send>,
    served: Served,
    ended: io::Result<()>,
}

impl Statistics {
    /// Writes the statistics to `output`, usually a file.
    pub fn new(output: impl Write + Send + 'static) -> Statistics {
        Statistics { output: Box::new(output), served: Served::default(), ended: Ok(()) }
    }

    /// Writes a line about a client that has left.
    ///
    /// An error is kept for [`finish`](Statistics::finish), and nothing more is
    /// written: the last line may be half a line.
    ///
    /// # Blocking
    ///
    /// Waits for the output.
    pub fn note(&mut self, client: SocketAddr, lines: u64) {
        // The watch tells the name of the span when this call blocks a runtime.
        let _span = warn_span!("note", %client).entered();
        self.served.clients += 1;
        self.served.lines += lines;
        if self.ended.is_ok() {
            self.ended = self.output.write_all(format!("{client} {lines}\n").as_bytes());
        }
    }

    /// Returns what was served.
    ///
    /// # Errors
    ///
    /// The first error of the output.
    pub fn finish(&mut self) -> io::Result<Served> {
        mem::replace(&mut self.ended, Ok(())).map(|()| self.served)
    }
}

impl fmt::Debug for Statistics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Statistics").field(&self.served).finish()
    }
}
