//! What every version has to do.

use std::fmt::Debug;
use std::io::{self, ErrorKind, Write};
use std::net::Shutdown;
use std::thread;

use anyhow::{Context, Result, ensure};
use service::{Served, Stop};

use crate::{Bench, SlowDisk};

/// More clients than any pool that was counted.
const STAY: usize = 64;

/// One more than any version takes that takes a number of them.
const TOO_MANY: usize = 101;

/// How many come late: by then, whoever frees a place too early has freed it.
const LATE: usize = 10;

/// What a client says is heard line by line, also its last one.
pub fn each_line_is_answered_with_its_number(bench: &Bench) -> Result<()> {
    let service = bench.start()?;
    let mut client = service.client()?;
    client.say("one\n\nthree\nfour without an end")?;
    client.has_said_all()?;
    for number in ["1", "2", "3"] {
        client.hears(number)?;
    }
    client.is_left()?;
    require(service.stop()?, Served { clients: 1, lines: 3 })?;
    ensure!(service.statistics() == format!("{} 3\n", client.address), "{}", service.statistics());
    Ok(())
}

/// Half a line is waited for, and its second half belongs to it.
pub fn clients_that_pause_in_the_middle_of_a_line_hold_up_nobody(bench: &Bench) -> Result<()> {
    let service = bench.start()?;
    let mut clients = service.clients(3)?;
    for number in 1..4 {
        for client in &clients {
            client.say("half a l")?;
        }
        for client in &clients {
            client.is_read()?;
        }
        // Whoever comes first is not served first.
        for client in clients.iter_mut().rev() {
            client.say("ine\n")?;
            client.hears(&number.to_string())?;
        }
    }
    require(service.stop()?, Served { clients: 3, lines: 9 })?;
    Ok(())
}

/// Nobody has to leave so that somebody else is served.
pub fn clients_that_stay_are_all_served(bench: &Bench) -> Result<()> {
    let service = bench.start()?;
    let mut clients = service.clients(STAY)?;
    for number in 1..3 {
        for (at, client) in (1..).zip(&mut clients) {
            client.is_told(number).with_context(|| format!("client {at} of {STAY}"))?;
        }
    }
    require(service.stop()?, Served { clients: STAY as u64, lines: 2 * STAY as u64 })?;
    Ok(())
}

/// Whoever cannot be served hears that at once, and those who are served go on. A place
/// is free again once the one who has left is noted: so no more than that many notes wait.
pub fn one_client_too_many_is_told(bench: &Bench) -> Result<()> {
    let (output, disk) = SlowDisk::new()?;
    let service = bench.start_with(output)?;
    let mut clients = service.clients(TOO_MANY)?;
    // It says nothing, and is told something.
    let mut last = clients.pop().context("there is a last one")?;
    last.hears("busy")?;
    last.is_left()?;
    for client in &mut clients {
        client.is_told(1)?;
    }
    drop(clients.pop());
    service.waits_for(&disk)?;
    for _ in 0..LATE {
        let told = service.client()?.hears("busy");
        told.context("one who comes while the one who has left is not noted yet")?;
    }
    let text = disk.let_go();
    let is_served = || service.client().and_then(|mut late| late.is_told(1)).is_ok();
    service.until("there is a place", is_served)?;
    service.stop()?;
    text.join().expect("a disk does not panic")?;
    Ok(())
}

/// While somebody who has left is noted on a slow disk, all others are served.
pub fn a_slow_disk_keeps_no_client_waiting(bench: &Bench) -> Result<()> {
    let (output, disk) = SlowDisk::new()?;
    let service = bench.start_with(output)?;
    let mut stays = service.client()?;
    stays.is_told(1)?;
    let mut leaves = service.clients(2)?;
    for client in &mut leaves {
        client.is_told(1)?;
    }
    leaves[0].has_said_all()?;
    service.waits_for(&disk)?;
    leaves[1].has_said_all()?;

    let served = (|| {
        stays.is_told(2).context("one who was there")?;
        leaves[1].is_left().context("one who leaves")?;
        let mut comes = service.client()?;
        comes.is_told(1).context("one who comes")
    })();

    // In any case: a test that has failed leaves nothing behind.
    service.stop.request();
    let text = disk.let_go();
    let all = service.end()??;
    let text = text.join().expect("a disk does not panic")?;
    served?;
    require(all, Served { clients: 4, lines: 5 })?;
    ensure!(text.lines().count() == 4 && text.starts_with(&format!("{} 1\n", leaves[0].address)));
    Ok(())
}

/// Who is silent, who is in the middle of a line, and who has not come yet.
pub fn a_stop_reaches_whoever_waits(bench: &Bench) -> Result<()> {
    // Before it begins to wait.
    let stop = Stop::default();
    stop.request();
    let never = bench.start_until(stop, io::sink())?;
    require(never.end()??, Served::default())?;

    let nobody = bench.start()?;
    require(nobody.stop()?, Served::default())?;

    let service = bench.start()?;
    let mut clients = service.clients(3)?;
    for client in &mut clients {
        client.is_told(1)?;
    }
    clients[1].is_told(2)?;
    clients[2].say("half a l")?;
    clients[2].is_read()?;
    require(service.stop()?, Served { clients: 3, lines: 4 })?;
    for client in &mut clients {
        client.is_left()?;
    }
    ensure!(service.statistics().lines().count() == 3);
    Ok(())
}

/// Its answers fill the connection, until the service cannot send any more.
pub fn a_stop_reaches_a_client_that_does_not_read(bench: &Bench) -> Result<()> {
    let service = bench.start()?;
    let mut client = service.client()?;
    client.is_told(1)?;
    client.does_not_read()?;
    require(service.stop()?.clients, 1)?;
    Ok(())
}

/// One is reset in the middle of a line, one goes on listening after its last line.
pub fn a_client_that_vanishes_is_noted_and_ends_nobody_else(bench: &Bench) -> Result<()> {
    let service = bench.start()?;
    let mut stays = service.client()?;
    let mut vanishes = service.client()?;
    let mut says_all = service.client()?;
    for client in [&mut stays, &mut vanishes, &mut says_all] {
        client.is_told(1)?;
    }
    vanishes.say("half a l")?;
    vanishes.vanishes()?;
    service.until("it is noted", || service.statistics().lines().count() == 1)?;
    says_all.say("a last line\n")?;
    says_all.has_said_all()?;
    says_all.hears("2")?;
    says_all.is_left()?;
    stays.is_told(2)?;
    require(service.stop()?, Served { clients: 3, lines: 5 })?;
    Ok(())
}

/// However many come and go at once: one whole line for each, with its own count.
pub fn the_statistics_are_whole(bench: &Bench) -> Result<()> {
    const EACH: usize = 25;
    let service = bench.start()?;
    let connect = service.connects();
    let visit = |lines: usize| -> Result<_> {
        let mut client = connect()?;
        client.say(&"a line\n".repeat(lines))?;
        for number in 1..=lines {
            client.hears(&number.to_string())?;
        }
        Ok((client.address.to_string(), lines))
    };
    let visits = thread::scope(|scope| {
        let visitors: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..EACH).map(visit).collect::<Result<Vec<_>>>()))
            .collect();
        let visits = visitors.into_iter().map(|visitor| visitor.join().expect("no panic"));
        visits.collect::<Result<Vec<_>>>()
    })?;
    let mut visits: Vec<_> = visits.into_iter().flatten().collect();
    let lines = visits.iter().map(|(_, lines)| *lines as u64).sum();
    let served = service.stop()?;
    ensure!(served == Served { clients: visits.len() as u64, lines }, "{served:?}");

    let statistics = service.statistics();
    let noted = statistics.lines().map(|line| {
        let (client, lines) = line.split_once(' ').context("two words")?;
        Ok((client.to_owned(), lines.parse()?))
    });
    let mut noted = noted.collect::<Result<Vec<(String, usize)>>>()?;
    noted.sort();
    visits.sort();
    ensure!(noted == visits, "{noted:?}\n{visits:?}");
    Ok(())
}

/// The clients do not suffer for it, and it is not forgotten.
pub fn statistics_that_cannot_be_written_are_an_error_at_the_end(bench: &Bench) -> Result<()> {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let service = bench.start_with(Full)?;
    for _ in 0..2 {
        let mut client = service.client()?;
        client.is_told(1)?;
        client.has_said_all()?;
        client.is_left()?;
    }
    service.stop.request();
    let ended = service.end()?;
    ensure!(ended.as_ref().is_err_and(|told| told.kind() == ErrorKind::StorageFull), "{ended:?}");
    Ok(())
}

/// Nobody is left waiting by a service that cannot go on.
pub fn a_listener_that_fails_ends_the_service(bench: &Bench) -> Result<()> {
    let service = bench.start()?;
    let mut client = service.client()?;
    client.is_told(1)?;
    socket2::SockRef::from(&service.listener).shutdown(Shutdown::Both)?;
    let ended = service.end()?;
    ensure!(ended.as_ref().is_err_and(|told| told.kind() == ErrorKind::InvalidInput), "{ended:?}");
    client.is_left()?;
    ensure!(service.statistics() == format!("{} 1\n", client.address));
    Ok(())
}

/// Requires what the service says of itself at its end.
fn require<T: Debug + PartialEq>(found: T, expected: T) -> Result<()> {
    ensure!(found == expected, "the service says {found:?} at its end, expected {expected:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_says_at_its_end_is_told_with_what_it_should_say() {
        let error = require(Served::default(), Served { clients: 1, lines: 3 }).unwrap_err();
        let said = "the service says Served { clients: 0, lines: 0 } at its end, \
                    expected Served { clients: 1, lines: 3 }";
        assert_eq!(error.to_string(), said);
    }
}
