//! What it costs that the writer leaves the machine: `just wire-cost`.
//!
//! Three tables: how fast the same logs are merged in five ways, how the number of chunks
//! on their way and their size tell on that, and how long a line takes from its write until
//! it is merged. The ways take turns, in an order that changes from round to round, so that
//! a disturbance of the machine meets all of them. Each way is a process of its own. Before
//! a figure is told, each line of each log has to be in the merged file or the stream, once
//! and in its place. Only the bare loop is not checked.

#![allow(clippy::print_stdout, reason = "this is a command")]

mod latency;
mod logs;
mod server;
mod ways;

use std::env;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match &args[..] {
        [] => {
            ways::compare();
            ways::sweep();
            latency::compare();
        }
        [way, rest @ ..] => ways::child(way, rest),
    }
}

/// Returns how much processor a process has used, in seconds.
fn processor(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // Behind the name: fields 14 and 15, the ticks in user and in kernel mode, 100 a second.
    let fields = stat.rsplit_once(") ").unwrap().1.split(' ').skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// The middle, the least and the most of some figures.
struct Spread {
    middle: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(figures: impl Iterator<Item = f64>) -> Spread {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let (least, most) = (figures[0], figures[figures.len() - 1]);
        Spread { middle: figures[figures.len() / 2], least, most }
    }

    /// As `2.1 (2.0 to 6.0)`.
    fn times(&self) -> String {
        format!("{:.1} ({:.1} to {:.1})", self.middle, self.least, self.most)
    }
}
