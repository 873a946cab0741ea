//! Shows a file as it grows, in whole lines: `tail -F`, through rotation and
//! truncation.
//!
//! ```sh
//! cargo run -p tributary --example follow -- /var/log/syslog
//! ```

use std::error::Error;

use tributary::{Options, Plan, Read, Start, Target};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).ok_or("which file?")?;
    let options = Options { follow: true, start: Start::LastLines(10), ..Options::default() };
    Ok(follow(Plan::open([file], Target::Stdout, options)?)?)
}

/// Follows the one source of a plan until the stop.
pub(crate) fn follow(mut plan: Plan) -> Result<(), tributary::Error> {
    let source = &mut plan.sources[0];
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => plan.output.append(&lines)?,
            Read::NoNewData => {
                source.changed().wait_timeout(plan.interval);
            }
            Read::Closed => return plan.output.finish().map(drop),
        }
    }
}
