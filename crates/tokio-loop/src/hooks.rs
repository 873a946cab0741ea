//! What hooks of the runtime can tell, and nothing else can.

use tokio::runtime::Builder;

use crate::here;

/// Sets hooks by which a watched runtime says when its threads rest and go on. Returns
/// `builder`.
///
/// A runtime that is built without this is watched as well. With it,
///
/// - the watch knows the right thread at once after `tokio::task::block_in_place`,
///   which moves a worker to another thread; otherwise it finds that out within a
///   second or two, and until then says what the wrong thread does,
/// - a batch is eight turns and not 61, so a batch that is told, whose turns cannot be
///   told apart, has a long one in it,
/// - the watch sleeps for as long as all workers rest. Otherwise it looks at them
///   twenty times a second.
///
/// It sets `on_thread_park`, `on_thread_unpark` and `event_interval`: to set one of
/// these later replaces it. With `--cfg tokio_unstable` it also sets
/// `on_before_task_poll` and `on_after_task_poll`, so each turn is known by itself,
/// with the number of its task and where that was spawned.
///
/// # Examples
///
/// ```
/// use tokio::runtime::Builder;
/// use tokio_loop::{SLOW, hook_into, watched};
///
/// let runtime = hook_into(&mut Builder::new_multi_thread()).enable_all().build()?;
/// let answer = runtime.block_on(watched(SLOW, async { 42 }))?;
/// assert_eq!(answer, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn hook_into(builder: &mut Builder) -> &mut Builder {
    #[cfg(tokio_unstable)]
    crate::polls::hook_into(builder);
    builder.on_thread_park(here::claim).on_thread_unpark(here::goes_on).event_interval(8)
}
