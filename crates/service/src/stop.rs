use std::fmt;
use std::io;
use std::mem;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio_util::sync::CancellationToken;
use tracing::trace;

/// A stop that reaches a task that waits, and a thread that waits for a socket.
///
/// All clones are the same stop.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    requested: CancellationToken,
    calls: Arc<Mutex<Calls>>,
}

type Call = dyn Fn() + Send + Sync;

/// The calls to make when the stop is requested, each for as long as its [`OnRequest`]
/// lives.
#[derive(Default)]
struct Calls(Vec<Weak<Call>>);

/// A call that waits for the stop. When this is dropped, the call is not made any more.
#[must_use = "dropped, the stop does not make the call"]
pub struct OnRequest(#[expect(dead_code, reason = "it lives as long as this")] Arc<Call>);

impl Stop {
    /// Requests the stop.
    pub fn request(&self) {
        self.requested.cancel();
        let calls = mem::take(&mut *self.calls());
        for call in calls.0.iter().filter_map(Weak::upgrade) {
            call();
        }
    }

    /// Says whether the stop was requested.
    pub fn is_requested(&self) -> bool {
        self.requested.is_cancelled()
    }

    /// Waits for the stop: a task can wait for a socket at the same time.
    pub async fn requested(&self) {
        // For those who want to see who waits, and where.
        trace!("waits for the stop");
        self.requested.cancelled().await;
    }

    /// Ends each wait for this socket when the stop is requested: a thread can
    /// wait for the socket only.
    ///
    /// # Errors
    ///
    /// The system has no descriptor left.
    pub fn shuts(&self, socket: &TcpStream) -> io::Result<OnRequest> {
        let socket = socket.try_clone()?;
        Ok(self.on_request(move || {
            // The client may have gone.
            let _ = socket.shutdown(Shutdown::Both);
        }))
    }

    /// Ends one `accept` when the stop is requested, by a connection that nobody
    /// needs.
    ///
    /// # Errors
    ///
    /// The listener has no address.
    pub fn wakes(&self, listener: &TcpListener) -> io::Result<OnRequest> {
        let address = listener.local_addr()?;
        Ok(self.on_request(move || {
            // The listener may have gone.
            let _ = TcpStream::connect(address);
        }))
    }

    fn on_request(&self, call: impl Fn() + Send + Sync + 'static) -> OnRequest {
        let call: Arc<Call> = Arc::new(call);
        let mut calls = self.calls();
        // Asked under the lock: a request either came before this, or finds the call
        // below.
        if self.is_requested() {
            call();
        }
        calls.0.retain(|call| call.strong_count() > 0);
        calls.0.push(Arc::downgrade(&call));
        OnRequest(call)
    }

    /// Nothing that could panic is done under the lock.
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} calls", self.0.len())
    }
}

impl fmt::Debug for OnRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OnRequest")
    }
}
