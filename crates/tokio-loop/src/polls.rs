//! With `--cfg tokio_unstable`, tokio says before each poll whose turn it is,
//! and knows where every task was spawned.

use std::sync::Arc;

use tokio::runtime::Builder;

use crate::turn::{Turn, Turns};

/// Has the runtime say whose turn it is.
pub(crate) fn hook_into(runtime: &mut Builder, turns: &Arc<Turns>) {
    let begin = Arc::clone(turns);
    runtime.on_before_task_poll(move |task| {
        begin.turn(Turn::Task(task.id(), task.spawned_at()));
    });
    let end = Arc::clone(turns);
    runtime.on_after_task_poll(move |_| {
        end.turn(Turn::Unknown);
    });
}
