//! "Nothing new" is one of three answers, and a `match` names them all. In Python
//! it is an exception, which may be forgotten.

use tributary::{Error, Lines, Read, Source};

fn look(source: &mut Source) -> Result<Option<Lines>, Error> {
    let answer = source.read_lines()?;
    Ok(match answer { // refused: E0004
        Read::Lines(lines) => Some(lines),
        Read::Closed => None,
        // accepted: Read::Closed | Read::NoNewData => None,
    })
}

fn main() {
    let _ = look;
}
