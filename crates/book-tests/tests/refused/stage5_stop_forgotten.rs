//! A report asks for what was written, and only `finish` of an output makes
//! that. The writer thread has the output, and `stop` brings it back.

use tributary::{Error, Report, Written};

struct WriteThread;

impl WriteThread {
    async fn stop(self) -> Result<Written, Error> {
        unimplemented!()
    }
}

async fn merge_async(writer: WriteThread) -> Result<Report, Error> {
    let written = Written { lines: 0, bytes: 0 }; // refused: E0639
    // accepted: let written = writer.stop().await?;
    Ok(Report::new(written, None))
}

fn main() {
    let _ = merge_async;
}
