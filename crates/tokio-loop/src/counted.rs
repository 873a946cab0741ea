//! Counts the turns of a loop while the sentinel waits. A loop that gives out a
//! thousand short turns is busy, not blocked, and tokio has no stable hook for a
//! turn.
//!
//! A loop whose event interval is one asks after every task whether `main` was
//! woken. So `main` is woken again and again while the sentinel waits, and each
//! of its polls is the end of a turn. A loop that stands still pays nothing for
//! this.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::turn::{Turn, Turns};

/// Lets the watch wake `main`, without a poll of the caller's future.
#[derive(Debug, Default)]
pub(crate) struct MainWaker(Mutex<Option<Waker>>);

impl MainWaker {
    pub(crate) fn wake(&self) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn answers_to(&self, waker: &Waker) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert_with(|| waker.clone()).clone_from(waker);
    }
}

/// Tells a wake-up of the caller's future from one by the watch.
struct OwnWake {
    woken: AtomicBool,
    of_the_loop: Waker,
}

impl Wake for OwnWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.of_the_loop.wake_by_ref();
    }
}

/// Returns `main`, which counts the turns of its loop, and takes its own.
pub(crate) async fn counted<T>(
    main: impl Future<Output = T>,
    turns: Arc<Turns>,
    main_waker: Arc<MainWaker>,
) -> T {
    let mut main = pin!(main);
    let mut own: Option<Arc<OwnWake>> = None;
    poll_fn(|context| {
        let waker = context.waker();
        if turns.count() {
            waker.wake_by_ref();
        }
        let own = match &own {
            Some(own) if own.of_the_loop.will_wake(waker) => own,
            _ => {
                main_waker.answers_to(waker);
                let woken = AtomicBool::new(true);
                own.insert(Arc::new(OwnWake { woken, of_the_loop: waker.clone() }))
            }
        };
        if !own.woken.swap(false, Ordering::Acquire) {
            return Poll::Pending;
        }
        let _turn = turns.begin(Turn::Main);
        main.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(own))))
    })
    .await
}
