//! Follows many empty files, and says what that costs:
//! `at-rest STAGE FOLDER COUNT SECONDS`.
//!
//! Creates the files `0`, `1`, … in the folder, opens them, waits until the
//! merge is at rest, and watches it for so many seconds. Answers with a line
//! `NAME VALUE` for each of: `before_kib` and `rest_kib`, its memory before the
//! plan was opened and at rest; `threads`; `ticks`, its processor time in those
//! seconds, in hundredths of a second; `looks`, how often it looked at a file in
//! them, and found nothing.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use tributary::{Moment, Options, Plan, Probe, Wake};

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [stage, folder, count, seconds] = &arguments[..] else {
        anyhow::bail!("at-rest STAGE FOLDER COUNT SECONDS");
    };
    let merge = stages::find(stage).map_err(anyhow::Error::msg)?.merge;
    let (count, seconds) = (count.parse::<usize>()?, seconds.parse()?);

    let folder = Path::new(folder);
    let logs: Vec<_> = (0..count).map(|number| folder.join(number.to_string())).collect();
    for log in &logs {
        File::create(log)?;
    }

    let before = status("VmRSS:")?;
    let rested = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&rested);
    let probe = Probe::new(move |moment, _| {
        if moment == Moment::FoundNothing {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    });
    let options =
        Options { follow: true, wake: Wake::Notify, probe: Some(probe), ..Options::default() };
    let plan = Plan::open(&logs, folder.join("the-output"), options)?;
    let stop = plan.stop.clone();
    let merging = thread::spawn(move || merge(plan));

    let begin = Instant::now();
    let (mut last, mut same) = (None, 0);
    // Several times: a process that gets no processor for a while looks the same.
    while same < 5 {
        thread::sleep(Duration::from_millis(100));
        let now = (rested.load(Ordering::SeqCst), ticks()?);
        let is_same = now.0 >= count && last == Some(now);
        same = if is_same { same + 1 } else { 0 };
        anyhow::ensure!(begin.elapsed() < Duration::from_secs(60), "it does not come to rest");
        last = Some(now);
    }

    let (looks, spent) = (rested.load(Ordering::SeqCst), ticks()?);
    // This time is what is measured.
    thread::sleep(Duration::from_secs(seconds));
    let spent = ticks()? - spent;
    let looks = rested.load(Ordering::SeqCst) - looks;

    let mut out = io::stdout().lock();
    writeln!(out, "before_kib {before}\nrest_kib {}", status("VmRSS:")?)?;
    writeln!(out, "threads {}\nticks {spent}\nlooks {looks}", status("Threads:")?)?;
    out.flush()?;
    stop.request();
    merging.join().expect("no panic")?;
    Ok(())
}

/// Returns a number of `/proc/self/status`.
fn status(name: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    Ok(line.split_whitespace().next().context("no number")?.parse()?)
}

/// Returns the processor time of this process, in ticks of a hundredth of a second.
fn ticks() -> anyhow::Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may have spaces in it.
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || anyhow::Ok(fields.next().context("no field")?.parse::<u64>()?);
    Ok(next()? + next()?)
}
