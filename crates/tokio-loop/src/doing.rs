//! What a thread of this process is doing: it computes, it sleeps, it reads a
//! FIFO.
//!
//! Linux tells it to every thread of the process, without any right to trace: in
//! `/proc/self/task`, by the thread's number. Elsewhere there is no such folder,
//! so no [`Thread`] is found and nothing is known.

use std::fs;
use std::time::Duration;

use call::Act;
pub(crate) use call::Call;

mod call;
mod descriptor;

/// A thread of this process, by its number in the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Thread(u32);

/// What the operating system knows of a thread at one moment. The times and
/// counts are those since the thread began, so it takes two looks to learn
/// something: see [`Doing::between`].
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Look {
    /// How long it has run.
    pub(crate) ran: Duration,
    /// How long it has waited for a processor.
    pub(crate) waited: Duration,
    /// How often it was put on a processor. A call that blocks ends with one more.
    pub(crate) slices: u64,
    /// Whether it runs, or would with a processor.
    pub(crate) runnable: bool,
    /// Ticks that it has run outside of the kernel; there are a hundred a second.
    pub(crate) user: u64,
    /// Ticks that it has run in the kernel, for its system calls.
    pub(crate) kernel: u64,
    /// The system call that it is in, if it does not run.
    pub(crate) call: Option<Call>,
    /// Where in the kernel it waits. The names change with the kernel.
    pub(crate) wait_channel: Option<String>,
}

impl Thread {
    /// Returns the calling thread; `None` where the system does not tell of threads.
    pub(crate) fn current() -> Option<Thread> {
        // It leads to `1234/task/1237`.
        let link = fs::read_link("/proc/thread-self").ok()?;
        Some(Thread(link.file_name()?.to_str()?.parse().ok()?))
    }

    /// Looks at the thread; `None` if it has ended, or the system does not tell.
    pub(crate) fn look(self) -> Option<Look> {
        let [scheduled, state] = [self.read("schedstat")?, self.read("stat")?];
        let call = self.call();
        let channel = self.read("wchan");
        Look::parse(&scheduled, &state, call, channel.as_deref().unwrap_or_default())
    }

    /// Returns the number of the thread, as `ps -L` and `gdb` have it.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    fn call(self) -> Option<Call> {
        Call::parse(&self.read("syscall")?)
    }

    fn read(self, file: &str) -> Option<String> {
        // Not as a text: the name of a thread is cut after 15 bytes, also within a character.
        let read = fs::read(format!("/proc/self/task/{}/{file}", self.0)).ok()?;
        Some(String::from_utf8_lossy(&read).into_owned())
    }
}

/// Returns the threads of this process that wait in `epoll`, each with the descriptor of
/// what it waits at. A runtime of tokio waits for its timers and sockets there: the worker
/// that does so holds the driver.
pub(crate) fn threads_in_epoll() -> Vec<(Thread, i32)> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    tasks
        .filter_map(|task| {
            let thread = Thread(task.ok()?.file_name().to_str()?.parse().ok()?);
            let call = thread.call().filter(Call::is_epoll)?;
            Some((thread, call.descriptor(0)))
        })
        .collect()
}

impl Look {
    /// Returns how long the thread has waited for a processor since `before`, which
    /// was `elapsed` ago.
    pub(crate) fn waited_since(&self, before: &Look, elapsed: Duration) -> Duration {
        if self.runnable {
            // The system counts a wait when it is over, and this one may not be.
            elapsed.saturating_sub(self.ran.saturating_sub(before.ran))
        } else {
            self.waited.saturating_sub(before.waited)
        }
    }

    /// Takes the texts of `schedstat`, `stat` and `wchan`.
    fn parse(scheduled: &str, state: &str, call: Option<Call>, channel: &str) -> Option<Look> {
        let mut scheduled = scheduled.split_ascii_whitespace().map(str::parse::<u64>);
        let mut next = || scheduled.next()?.ok();
        let (ran, waited, slices) = (next()?, next()?, next()?);
        // A kernel that does not count says that the thread has never run.
        if slices == 0 {
            return None;
        }
        // The second field is the thread's name, which may have blanks and brackets.
        let (_, state) = state.rsplit_once(") ")?;
        let fields: Vec<&str> = state.split_ascii_whitespace().collect();
        // Field 3 of proc(5) is the first one here.
        let field = |number: usize| fields.get(number - 3);
        Some(Look {
            ran: Duration::from_nanos(ran),
            waited: Duration::from_nanos(waited),
            slices,
            runnable: *field(3)? == "R",
            user: field(14)?.parse().ok()?,
            kernel: field(15)?.parse().ok()?,
            call,
            wait_channel: Some(channel.trim_end())
                .filter(|at| !matches!(*at, "" | "0"))
                .map(Into::into),
        })
    }
}

/// What a thread was doing from one look to the next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Doing {
    act: Act,
    /// What the call is about: "a.fifo".
    object: Option<String>,
    /// How long it ran, and in what time, if a processor was hard to get.
    ran: Option<(Duration, Duration)>,
    /// How often it has waited, if that was more than once.
    waits: Option<u64>,
    call: Option<String>,
    wait_channel: Option<String>,
}

impl Doing {
    /// Says what the thread did in the time from `before` to `now`. `elapsed` is that
    /// time. A wait for a processor is nothing that the thread does.
    pub(crate) fn between(before: &Look, now: &Look, elapsed: Duration) -> Doing {
        Doing::named(before, now, elapsed, descriptor::name)
    }

    /// As [`Doing::between`], with the names of the descriptors from `name`.
    fn named(
        before: &Look,
        now: &Look,
        elapsed: Duration,
        name: impl Fn(i32) -> Option<String>,
    ) -> Doing {
        let ran = now.ran.saturating_sub(before.ran);
        let waited = now.waited_since(before, elapsed);
        let plain = Doing {
            act: Act::WAITS,
            object: None,
            ran: None,
            waits: None,
            call: None,
            wait_channel: None,
        };
        if ran >= elapsed.saturating_sub(waited) / 2 {
            let ticks = |now: u64, before: u64| now.saturating_sub(before);
            let in_kernel = ticks(now.kernel, before.kernel) > ticks(now.user, before.user);
            let act = if in_kernel { Act::WORKS } else { Act::COMPUTES };
            let ran = (waited > elapsed / 10).then_some((ran, elapsed));
            return Doing { act, ran, ..plain };
        }
        let Some(call) = now.call.as_ref().filter(|_| !now.runnable) else { return plain };
        let act = call.act();
        let descriptor = act.descriptor.map(|argument| call.descriptor(argument));
        let name = descriptor.and_then(name);
        Doing {
            act,
            object: descriptor.map(|_| match &name {
                Some(name) => descriptor::short(name).to_owned(),
                None => "a descriptor".to_owned(),
            }),
            ran: None,
            waits: Some(now.slices.saturating_sub(before.slices)).filter(|waits| *waits > 1),
            call: call.name().map(|call| match (&name, descriptor) {
                (Some(name), Some(number)) => format!("{call}({number}: {name})"),
                _ => call.to_owned(),
            }),
            wait_channel: now.wait_channel.clone(),
        }
    }

    /// Says it while it lasts: "it sleeps".
    pub(crate) fn now(&self) -> String {
        self.say(self.act.now)
    }

    /// Says it when it is over: "it slept".
    pub(crate) fn then(&self) -> String {
        self.say(self.act.then)
    }

    /// Returns the system call, and what it is about: `read(7: /run/a.fifo)`.
    pub(crate) fn call(&self) -> Option<&str> {
        self.call.as_deref()
    }

    /// Returns whether the thread was seen to do the same.
    pub(crate) fn is_like(&self, other: &Doing) -> bool {
        self.act == other.act && self.call == other.call
    }

    /// Returns where in the kernel the thread waited.
    pub(crate) fn wait_channel(&self) -> Option<&str> {
        self.wait_channel.as_deref()
    }

    fn say(&self, verb: &str) -> String {
        let mut said = format!("it {verb}{}", self.act.what);
        if let Some(object) = &self.object {
            said += &format!(" {object}");
        }
        if let Some((ran, elapsed)) = self.ran {
            let [ran, elapsed] = [ran, elapsed].map(|time| time.as_millis());
            said += &format!(", {ran} of {elapsed} ms on a processor");
        }
        if let Some(waits) = self.waits {
            said += &format!(", one of {waits} waits");
        }
        said
    }
}

#[cfg(test)]
mod tests;
