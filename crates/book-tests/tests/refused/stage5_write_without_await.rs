//! A write that nobody awaits is never begun. This is a warning, and here it
//! is made an error.

#![deny(unused_must_use)]

struct WriteThread;

impl WriteThread {
    async fn write(&self) -> Result<(), ()> {
        Ok(())
    }
}

async fn tail(writer: WriteThread) -> Result<(), ()> {
    writer.write(); // refused: unused_must_use
    // accepted: writer.write().await?;
    Ok(())
}

fn main() {
    let _ = tail;
}
