use super::*;

const MS: Duration = Duration::from_millis(1);

/// Says what two looks show, 100 ms apart. `ran`, `waited` and `slices` are the
/// differences between them; the descriptor leads to "/run/a.fifo".
fn between(ran: u32, waited: u32, slices: u64, syscall: &str) -> Doing {
    let before = Look { ran: MS, waited: MS, slices: 1, ..Look::default() };
    let now = Look {
        ran: MS * (1 + ran),
        waited: MS * (1 + waited),
        slices: 1 + slices,
        runnable: syscall == "running",
        call: Call::parse(syscall),
        ..Look::default()
    };
    Doing::named(&before, &now, 100 * MS, |_| Some("/run/a.fifo".to_owned()))
}

#[test]
fn a_look_is_what_the_files_of_the_kernel_say() {
    let stat = "4711 (tokio (rt) w) S 1 4711 4711 0 -1 4194368 157 0 0 0 12 34 0 0 20 0 5 0 8 0 0";
    let look = Look::parse("2000000 3000000 7\n", stat, None, "futex_do_wait").unwrap();
    assert_eq!(
        look,
        Look {
            ran: 2 * MS,
            waited: 3 * MS,
            slices: 7,
            runnable: false,
            user: 12,
            kernel: 34,
            call: None,
            wait_channel: Some("futex_do_wait".to_owned()),
        }
    );
    let running = stat.replace(") S ", ") R ");
    let look = Look::parse("2000000 3000000 7\n", &running, None, "0").unwrap();
    assert_eq!((look.runnable, look.wait_channel), (true, None));
}

#[test]
fn a_file_that_says_nothing_is_no_look() {
    let stat = "4711 (worker) S 1 4711 4711 0 -1 4194368 157 0 0 0 12 34 0 0 20";
    assert!(Look::parse("2000000 3000000 7", stat, None, "").is_some());
    assert_eq!(Look::parse("0 0 0", stat, None, ""), None, "a kernel that does not count");
    assert_eq!(Look::parse("2000000 3000000", stat, None, ""), None);
    assert_eq!(Look::parse("2000000 3000000 7", "4711 (worker) S 1", None, ""), None);
    assert_eq!(Look::parse("2000000 3000000 7", "", None, ""), None);
}

#[test]
fn a_call_is_its_number_and_its_arguments() {
    assert_eq!(Call::parse("running\n"), None);
    assert_eq!(Call::parse(""), None);
    let fault = Call::parse("-1 0x7ffc12345678 0x7f1234567890\n").unwrap();
    assert_eq!((fault.name(), fault.act().what), (None, " for memory"));
    let read = Call::parse("0 0x7 0x7ffc0 0x400 0x0 0x0 0xffffffff 0x7ffc1 0x7f123\n").unwrap();
    assert_eq!((read.descriptor(0), read.descriptor(5)), (7, -1));
    let unheard = Call::parse("99999 0x7 0x0 0x0 0x0 0x0 0x0 0x7ffc1 0x7f123\n").unwrap();
    assert_eq!((unheard.name(), unheard.act().what), (None, " in a system call"));
}

#[test]
fn a_thread_that_is_ready_to_run_computes() {
    let running = |ran, waited| between(ran, waited, 3, "running").now();
    assert_eq!(running(99, 0), "it computes");
    // It still waits for a processor, so the system has not counted that wait.
    assert_eq!(running(49, 0), "it computes, 49 of 100 ms on a processor");
    assert_eq!(running(5, 92), "it computes, 5 of 100 ms on a processor");
    assert_eq!(between(99, 0, 3, "running").then(), "it computed");
    let (call, channel) = (between(99, 0, 3, "running"), between(99, 0, 3, "running"));
    assert_eq!((call.call(), channel.wait_channel()), (None, None));
}

#[test]
fn a_thread_whose_ticks_are_the_kernels_is_at_work_in_system_calls() {
    let look = |ran, user, kernel| Look { ran, user, kernel, slices: 1, ..Look::default() };
    let doing = |user: u64, kernel: u64| {
        Doing::between(&look(MS, 100, 100), &look(100 * MS, 100 + user, 100 + kernel), 100 * MS)
    };
    assert_eq!(doing(4, 6).now(), "it is at work in system calls");
    assert_eq!(doing(4, 6).then(), "it was at work in system calls");
    assert_eq!(doing(6, 4).now(), "it computes");
    assert_eq!(doing(0, 0).now(), "it computes");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_thread_that_waits_is_in_a_call() {
    let rest = "0x0 0x0 0x0 0x0 0x0 0x7ffc1 0x7f123";
    for (number, now, then, call) in [
        (230, "it sleeps", "it slept", "clock_nanosleep"),
        (
            202,
            "it waits for a lock, a channel or a thread",
            "it waited for a lock, a channel or a thread",
            "futex",
        ),
        (0, "it reads a.fifo", "it read a.fifo", "read(7: /run/a.fifo)"),
        (1, "it writes to a.fifo", "it wrote to a.fifo", "write(7: /run/a.fifo)"),
        (74, "it syncs a.fifo", "it synced a.fifo", "fsync(7: /run/a.fifo)"),
        (257, "it opens a file", "it opened a file", "openat"),
        (247, "it waits for a child process", "it waited for a child process", "waitid"),
        (
            7,
            "it waits for a descriptor: a name look-up does that",
            "it waited for a descriptor: a name look-up does that",
            "poll",
        ),
        (
            281,
            "it waits for events, as an event loop does",
            "it waited for events, as an event loop does",
            "epoll_pwait",
        ),
        (42, "it connects a.fifo", "it connected a.fifo", "connect(7: /run/a.fifo)"),
        (
            73,
            "it waits for the lock of a.fifo",
            "it waited for the lock of a.fifo",
            "flock(7: /run/a.fifo)",
        ),
        (30, "it waits in a system call", "it waited in a system call", "shmat"),
    ] {
        let doing = between(1, 0, 0, &format!("{number} 0x7 {rest}"));
        assert_eq!((&*doing.now(), &*doing.then(), doing.call()), (now, then, Some(call)));
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn many_waits_are_said_to_be_many() {
    let sleep = "230 0x1 0x0 0x0 0x0 0x0 0x0 0x7ffc1 0x7f123";
    assert_eq!(between(1, 0, 20, sleep).now(), "it sleeps, one of 20 waits");
    assert_eq!(between(1, 0, 20, sleep).then(), "it slept, one of 20 waits");
    assert_eq!(between(1, 0, 1, sleep).now(), "it sleeps");
}

#[cfg(target_os = "linux")]
mod threads;
