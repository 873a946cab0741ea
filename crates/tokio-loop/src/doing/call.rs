//! A system call, as `/proc/self/task/TID/syscall` shows it, and what a thread in it
//! does.

/// The system call that a thread is in, or no call: a page fault.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    // `None` for a thread that waits although it has called nothing.
    number: Option<usize>,
    arguments: [u64; 6],
}

/// What is said of a thread in a call: "reads" and "read", and which argument of
/// the call is the descriptor that it reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Act {
    pub(super) now: &'static str,
    pub(super) then: &'static str,
    /// The words behind either.
    pub(super) what: &'static str,
    pub(super) descriptor: Option<usize>,
}

impl Act {
    pub(super) const COMPUTES: Act = act("computes", "computed", "");
    pub(super) const WORKS: Act = act("is", "was", " at work in system calls");
    /// It cannot be seen for what.
    pub(super) const WAITS: Act = waits("");
    const MEMORY: Act = waits(" for memory");

    /// An act on the descriptor that is the first argument.
    const fn on(now: &'static str, then: &'static str, what: &'static str) -> Act {
        Act { descriptor: Some(0), ..act(now, then, what) }
    }
}

const fn act(now: &'static str, then: &'static str, what: &'static str) -> Act {
    Act { now, then, what, descriptor: None }
}

const fn waits(what: &'static str) -> Act {
    act("waits", "waited", what)
}

impl Call {
    /// Takes the text of `syscall`; `None` for a thread that runs.
    pub(crate) fn parse(text: &str) -> Option<Call> {
        let mut words = text.split_ascii_whitespace();
        // "running" is no number.
        let number: i64 = words.next()?.parse().ok()?;
        let mut arguments = [0; 6];
        for (argument, word) in arguments.iter_mut().zip(words) {
            *argument = u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()?;
        }
        Some(Call { number: number.try_into().ok(), arguments })
    }

    /// Returns the descriptor that is the argument of that number.
    #[expect(clippy::cast_possible_truncation, reason = "the kernel takes the lower half, too")]
    pub(super) fn descriptor(&self, argument: usize) -> i32 {
        self.arguments[argument] as i32
    }

    pub(super) fn is_epoll(&self) -> bool {
        self.name().is_some_and(|name| name.starts_with("epoll_"))
    }

    /// Returns the name of the call. The numbers differ from one processor to the
    /// next, and the names do not.
    pub(super) fn name(&self) -> Option<&'static str> {
        name(self.number?)
    }

    /// Says what a thread in this call does.
    pub(super) fn act(&self) -> Act {
        if self.number.is_none() {
            return Act::MEMORY;
        }
        match self.name().unwrap_or_default() {
            "nanosleep" | "clock_nanosleep" => act("sleeps", "slept", ""),
            "futex" | "futex_wait" | "futex_waitv" => waits(" for a lock, a channel or a thread"),
            "wait4" | "waitid" => waits(" for a child process"),
            "poll" | "ppoll" | "select" | "pselect6" => {
                waits(" for a descriptor: a name look-up does that")
            }
            name if name.starts_with("epoll_") => waits(" for events, as an event loop does"),
            "read" | "pread64" | "readv" | "preadv" | "preadv2" | "getdents64" | "splice"
            | "copy_file_range" => Act::on("reads", "read", ""),
            "write" | "pwrite64" | "writev" | "pwritev" | "pwritev2" | "sendfile" => {
                Act::on("writes to", "wrote to", "")
            }
            "fsync" | "fdatasync" | "sync_file_range" | "syncfs" => Act::on("syncs", "synced", ""),
            "recvfrom" | "recvmsg" | "recvmmsg" => Act::on("receives", "received", " from"),
            "sendto" | "sendmsg" | "sendmmsg" => Act::on("sends", "sent", " to"),
            "connect" => Act::on("connects", "connected", ""),
            "accept" | "accept4" => Act::on("waits", "waited", " for a connection to"),
            "flock" | "fcntl" => Act::on("waits", "waited", " for the lock of"),
            "ioctl" => Act::on("controls", "controlled", ""),
            "ftruncate" | "fallocate" | "fchmod" | "fchown" => Act::on("changes", "changed", ""),
            "open" | "openat" | "openat2" | "creat" => act("opens", "opened", " a file"),
            // It is gone from the table of descriptors by then.
            "close" => act("closes", "closed", " a descriptor"),
            "stat" | "lstat" | "newfstatat" | "statx" | "fstat" | "statfs" | "fstatfs"
            | "access" | "faccessat" | "faccessat2" | "readlink" | "readlinkat" => {
                act("looks", "looked", " up a file")
            }
            "rename" | "renameat" | "renameat2" | "unlink" | "unlinkat" | "mkdir" | "mkdirat"
            | "rmdir" | "link" | "linkat" | "symlink" | "symlinkat" | "truncate" | "chmod"
            | "fchmodat" | "chown" | "fchownat" | "utimensat" => {
                act("changes", "changed", " a folder or a file")
            }
            "sync" | "msync" => waits(" for the disk"),
            "mmap" | "munmap" | "mremap" | "mprotect" | "madvise" | "brk" => Act::MEMORY,
            "clone" | "clone3" | "fork" | "vfork" | "execve" => {
                act("starts", "started", " a process or a thread")
            }
            "rt_sigtimedwait" | "rt_sigsuspend" | "pause" => waits(" for a signal"),
            _ => waits(" in a system call"),
        }
    }
}

// Elsewhere it is known that a thread waits in a call, and not in which.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
fn name(number: usize) -> Option<&'static str> {
    syscalls::Sysno::new(number).map(|call| call.name())
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
)))]
fn name(_: usize) -> Option<&'static str> {
    None
}
