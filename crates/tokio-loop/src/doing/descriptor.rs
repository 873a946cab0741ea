//! What a descriptor of this process leads to: a path, a pipe, or the two ends of
//! a connection.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Returns the name of a descriptor: "/run/a.fifo", "a pipe",
/// "tcp 127.0.0.1:53121 -> 127.0.0.1:53".
pub(super) fn name(descriptor: i32) -> Option<String> {
    let link = fs::read_link(format!("/proc/self/fd/{descriptor}")).ok()?;
    let link = link.to_string_lossy();
    Some(match inode_of_socket(&link) {
        Some(inode) => socket(inode).unwrap_or_else(|| "a socket".to_owned()),
        None => of_link(&link),
    })
}

/// Shortens a path to the name of the file. That of a device says too little.
pub(super) fn short(name: &str) -> &str {
    match name.rsplit_once('/') {
        Some((folder, file)) if name.starts_with('/') && !folder.starts_with("/dev") => file,
        _ => name,
    }
}

/// Takes the inode from "socket:[4711]".
fn inode_of_socket(link: &str) -> Option<&str> {
    link.strip_prefix("socket:[")?.strip_suffix(']')
}

/// Puts "pipe:[4711]" and "anon_inode:[eventfd]" into words. The rest is a path.
fn of_link(link: &str) -> String {
    if link.starts_with("pipe:[") {
        return "a pipe".to_owned();
    }
    match link.strip_prefix("anon_inode:") {
        Some(kind) => {
            let kind = kind.trim_matches(['[', ']']);
            let article = if kind.starts_with(['e', 'i']) { "an" } else { "a" };
            format!("{article} {kind}")
        }
        None => link.to_owned(),
    }
}

/// Returns the ends of a socket, from the tables of its network.
fn socket(inode: &str) -> Option<String> {
    let lines = |table: &str| {
        let file = File::open(format!("/proc/thread-self/net/{table}")).ok()?;
        Some(BufReader::new(file).lines().map_while(Result::ok))
    };
    let ends = ["tcp", "tcp6", "udp", "udp6"].into_iter().find_map(|table| {
        let ends = lines(table)?.find_map(|line| ends(&line, inode))?;
        Some(format!("{} {ends}", &table[..3]))
    });
    ends.or_else(|| lines("unix")?.find_map(|line| unix(&line, inode)))
}

/// Reads a line of `/proc/net/tcp` or `/proc/net/udp`, or of those for IPv6.
fn ends(line: &str, inode: &str) -> Option<String> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    if *fields.get(9)? != inode {
        return None;
    }
    let (local, peer) = (address(fields[1])?, address(fields[2])?);
    // A socket that is not connected has nothing at its other end.
    Some(match peer.port() {
        0 => local.to_string(),
        _ => format!("{local} -> {peer}"),
    })
}

/// Reads "0100007F:0035", which is 127.0.0.1:53. The words of an address are in
/// the order of this processor.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| {
        let word = address.get(8 * at..8 * (at + 1))?;
        Some(u32::from_str_radix(word, 16).ok()?.to_ne_bytes())
    };
    let address = if address.len() == 8 {
        IpAddr::V4(Ipv4Addr::from(word(0)?))
    } else {
        let words = [word(0)?, word(1)?, word(2)?, word(3)?];
        let bytes: [u8; 16] = words.concat().try_into().ok()?;
        IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
    };
    Some(SocketAddr::new(address, u16::from_str_radix(port, 16).ok()?))
}

/// Reads a line of `/proc/net/unix`. Only a socket that is bound has a path.
fn unix(line: &str, inode: &str) -> Option<String> {
    if line.split_ascii_whitespace().nth(6)? != inode {
        return None;
    }
    // The path is the rest of the line, and may have blanks.
    Some(match line.split_once(&format!(" {inode} ")) {
        Some((_, path)) => format!("unix {path}"),
        None => "a unix socket".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_called_by_its_path_or_by_what_it_is() {
        for (link, name, in_short) in [
            ("/var/log/a.log", "/var/log/a.log", "a.log"),
            ("/var/log/a.log (deleted)", "/var/log/a.log (deleted)", "a.log (deleted)"),
            ("/dev/pts/3", "/dev/pts/3", "/dev/pts/3"),
            ("pipe:[4711]", "a pipe", "a pipe"),
            ("anon_inode:[eventfd]", "an eventfd", "an eventfd"),
            ("anon_inode:[timerfd]", "a timerfd", "a timerfd"),
            ("anon_inode:inotify", "an inotify", "an inotify"),
        ] {
            assert_eq!((of_link(link).as_str(), short(&of_link(link))), (name, in_short), "{link}");
        }
        assert_eq!(short("tcp 10.0.0.1:80 -> 10.0.0.2:90"), "tcp 10.0.0.1:80 -> 10.0.0.2:90");
        assert_eq!(short("unix /run/a.sock"), "unix /run/a.sock");
        assert_eq!(inode_of_socket("socket:[4711]"), Some("4711"));
        assert_eq!(inode_of_socket("pipe:[4711]"), None);
    }

    // Lines of a machine that has the lowest byte first, as nearly all have.
    #[cfg(target_endian = "little")]
    #[test]
    fn the_ends_of_a_socket_are_those_in_the_tables_of_the_kernel() {
        let tail = "00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 20 4 30 10 -1";
        for (ends_in_hex, expected) in [
            ("0100007F:CF81 0100007F:0035 01", "127.0.0.1:53121 -> 127.0.0.1:53"),
            ("00000000:1F90 00000000:0000 0A", "0.0.0.0:8080"),
            (
                "00000000000000000000000001000000:1F90 00000000000000000000000001000000:9C40 01",
                "[::1]:8080 -> [::1]:40000",
            ),
            (
                "B80D0120000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A",
                "[2001:db8::1]:8080",
            ),
            // What a client of IPv4 is to a listener of IPv6.
            (
                "0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:9C40 01",
                "127.0.0.1:8080 -> 127.0.0.1:40000",
            ),
        ] {
            let line = format!("   3: {ends_in_hex} {tail}");
            assert_eq!(ends(&line, "4711").as_deref(), Some(expected));
            assert_eq!(ends(&line, "1000"), None, "that is the user, and not the inode");
        }
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        assert_eq!(ends(head, "4711"), None);
        assert_eq!(ends("", "4711"), None);
    }

    #[test]
    fn a_unix_socket_is_called_by_the_path_that_it_is_bound_to() {
        let bound = "ffff8880: 00000002 00000000 00010000 0001 01  4711 /run/a.sock";
        let plain = "ffff8880: 00000003 00000000 00000000 0001 03  4711";
        let blank = "ffff8880: 00000002 00000000 00010000 0001 01  4711 /run/a b.sock";
        assert_eq!(unix(bound, "4711").as_deref(), Some("unix /run/a.sock"));
        assert_eq!(unix(blank, "4711").as_deref(), Some("unix /run/a b.sock"));
        assert_eq!(unix(plain, "4711").as_deref(), Some("a unix socket"));
        assert_eq!(unix(plain, "4712"), None);
    }
}
