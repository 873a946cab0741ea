//! What a law needs of the kernel before a merge can be notified.
//!
//! A user has 128 inotify instances, and a merge takes one. Where other programs have
//! all of them, a merge polls by its interval. A law sets an hour, and would blame the
//! merger for that.

#[cfg(target_os = "linux")]
pub(crate) use linux::wait_for_them;

/// Returns at once: what notifies here has no such limit.
#[cfg(not(target_os = "linux"))]
pub(crate) fn wait_for_them() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::thread;
    use std::time::Duration;

    use rustix::fs::inotify;
    use rustix::io::Errno;

    use crate::bound;

    /// Waits until the kernel has an inotify instance to give, at most for the bound of
    /// the law.
    ///
    /// # Panics
    ///
    /// Panics if there is none until then: that is no fault of the merger.
    pub(crate) fn wait_for_them() {
        wait_until(|| inotify::init(inotify::CreateFlags::CLOEXEC).map(drop));
    }

    fn wait_until(is_given: impl Fn() -> Result<(), Errno>) {
        while let Err(cause) = is_given() {
            assert!(
                !bound::left().is_zero(),
                "no inotify instance is to be had ({cause}): end a program that has some, or \
                 raise fs.inotify.max_user_instances"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[cfg(test)]
    mod tests {
        use std::cell::Cell;

        use super::*;
        use crate::bound::TriedBy;

        #[test]
        fn an_instance_is_waited_for() {
            let refused = Cell::new(0);
            wait_until(|| {
                refused.set(refused.get() + 1);
                if refused.get() < 3 { Err(Errno::MFILE) } else { Ok(()) }
            });
            assert_eq!(refused.get(), 3);
        }

        #[test]
        #[should_panic(expected = "raise fs.inotify.max_user_instances")]
        fn what_the_kernel_has_not_is_no_fault_of_the_merger() {
            bound::begin(Duration::from_millis(30), TriedBy::Nothing);
            wait_until(|| Err(Errno::MFILE));
        }
    }
}
