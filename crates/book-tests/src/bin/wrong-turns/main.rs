//! Takes a wrong turn of the book, or the way out of it: `wrong-turns NAME [right]`.
//!
//! A merger is held to the law that is named for it, and says how it breaks it.

use std::io::{self, Write};
use std::time::Duration;
use std::{env, panic, process};

use book_tests::turns::{Catch, turns};
use conformance::{BOUND, Case, MergeFn, Outcome};

mod aborted;
mod block_in_place;
mod block_on;
mod buf_writer;
mod channel;
mod computing;
mod end;
mod forgotten_await;
mod guard;
mod guard_over_block_on;
#[path = "../../../../conformance/tests/mergers/half_line.rs"]
mod half_line;
mod handle_block_on;
mod join_set;
mod ok;
mod pool;
mod read_line;
mod runtime_in_a_field;
mod send_guard;
#[path = "../../../../conformance/tests/mergers/sleep.rs"]
mod sleep;
#[path = "../../../../conformance/tests/mergers/stop_after_the_read.rs"]
mod stop_after_the_read;
#[path = "../../../../conformance/tests/mergers/unbounded_channel.rs"]
mod unbounded_channel;
mod wrapper;

/// The bound of the mergers that hang. They would hang in any other as well.
const SHORT: Duration = Duration::from_secs(3);

enum Turn {
    Program(fn() -> io::Result<()>),
    Merger(MergeFn),
}

macro_rules! turns {
    ($($kind:ident::$main:ident: $($name:ident)+;)+) => {
        /// The same with their diffs, which the build script has applied.
        mod right {
            $($(pub(crate) mod $name {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
            })+)+
        }

        /// Finds what has a way out.
        fn find(name: &str, right: bool) -> Option<Turn> {
            match (name, right) {
                $($((stringify!($name), false) => Some(Turn::$kind($name::$main)),
                (stringify!($name), true) => Some(Turn::$kind(right::$name::$main)),)+)+
                ("channel", false) => Some(Turn::Program(channel::main)),
                ("ok", false) => Some(Turn::Program(ok::main)),
                _ => None,
            }
        }
    };
}

turns! {
    Program::main: block_on computing end guard handle_block_on pool read_line
        runtime_in_a_field wrapper;
    Merger::merge: aborted block_in_place buf_writer forgotten_await guard_over_block_on
        half_line join_set send_guard sleep stop_after_the_read unbounded_channel;
}

fn main() -> io::Result<()> {
    let (name, right) = (env::args().nth(1).unwrap_or_default(), env::args().nth(2).is_some());
    match find(&name, right) {
        Some(Turn::Program(main)) => main(),
        Some(Turn::Merger(merge)) => {
            writeln!(io::stdout(), "{}", tried(&name, merge, right))?;
            // What hangs would keep the runtime that it is on.
            process::exit(0)
        }
        None => Err(io::Error::other("wrong-turns NAME [right]: there is no such turn")),
    }
}

/// Holds a merger to the law that is named for it, and tells what comes of it.
fn tried(name: &str, merge: MergeFn, right: bool) -> String {
    let turns = turns().expect("the list of the turns is in order");
    let turn = turns.iter().find(|turn| turn.name == name).expect("it is in the list");
    let Catch::Law(law) = &turn.caught_by else { panic!("a law catches a merger") };
    let bound = if !right && turn.says.contains("in vain") { SHORT } else { BOUND };
    // What a panic says is in what comes of it.
    panic::set_hook(Box::new(|_| ()));
    match Case::new(law, name, merge).within(bound).alone().outcome() {
        Outcome::Held => format!("keeps the law {law}"),
        Outcome::Broken(how) => {
            // The rest are witnesses, and the place in the law.
            let how = how.to_string();
            let how = how.split("\n  lost: ").next().unwrap_or_default();
            let how = how.split("\n  (said by ").next().unwrap_or_default();
            format!("breaks the law {law}\n  {how}")
        }
        Outcome::Accident(message) => format!("has an accident in the law {law}\n  {message}"),
        Outcome::Hung => format!("hangs in the law {law}"),
    }
}
