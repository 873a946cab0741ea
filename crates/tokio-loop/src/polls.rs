//! With `--cfg tokio_unstable`, tokio says before each poll whose turn it is,
//! and knows where every task was spawned.

use tokio::runtime::Builder;

use crate::here::here;
use crate::turn::Turn;

/// Has each thread of the runtime say whose turn it is.
pub(crate) fn hook_into(runtime: &mut Builder) {
    runtime.on_before_task_poll(|task| {
        here(|turns| turns.turn(Turn::Task(task.id(), task.spawned_at())));
    });
    runtime.on_after_task_poll(|_| {
        here(|turns| turns.turn(Turn::Unknown));
    });
}
