use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use ::hyper_util::client::legacy::connect::{CaptureConnection, Connected, capture_connection};
use http::{Extensions, Request};
use pin_project_lite::pin_project;
use seawall_core::connection::ConnectionUse;
use tokio::time::Instant;
use tower_service::Service;

use crate::time_limit::is_expiring;

/// A client whose calls close their connection to new requests if they time out in silence.
///
/// The peer of a connection can disappear without a word: a node is killed, a NAT entry is dropped.
/// Over HTTP/2, every retry and every probe of a circuit then uses the same dead connection. This
/// wrapper around hyper-util's client removes the connection from the pool if a timeout of this
/// crate drops a call before its response, and nothing was received on the connection since the
/// call began. The next attempt opens another. See the [module docs](super#silent-connections).
///
/// With [`TrackReuse`](super::TrackReuse) around the connector, a connection on which other streams
/// receive data stays in use. Without it, every timeout closes the connection to new requests.
///
/// Only `TimeoutLayer`, `DeadlineLayer` and `RetryLayer` are recognized, and only if no layer in
/// between spawns the call, as `tower::buffer` does. A call that its caller drops has no effect.
/// Costs three allocations per call.
#[derive(Clone, Debug)]
pub struct PoisonOnTimeout<S> {
    inner: S,
}

impl<S> PoisonOnTimeout<S> {
    /// Wraps a client of hyper-util.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, B> Service<Request<B>> for PoisonOnTimeout<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = PoisonFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let connection = capture_connection(&mut request);
        let inner = self.inner.call(request);
        PoisonFuture { inner, guard: Guard { connection, started: Instant::now(), is_done: false } }
    }
}

pin_project! {
    /// Response future of [`PoisonOnTimeout`].
    #[derive(Debug)]
    pub struct PoisonFuture<F> {
        #[pin]
        inner: F,
        guard: Guard,
    }
}

impl<F: Future> Future for PoisonFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.inner.poll(cx);
        this.guard.is_done = polled.is_ready();
        polled
    }
}

/// A shorter silence proves nothing, for example that of a call whose deadline was near.
const MIN_SILENCE: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct Guard {
    connection: CaptureConnection,
    started: Instant,
    is_done: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.is_done || self.started.elapsed() < MIN_SILENCE || !is_expiring() {
            return;
        }
        if let Some(connection) = &*self.connection.connection_metadata()
            && !has_received(connection, self.started)
        {
            connection.poison();
        }
    }
}

/// The instant at which a connection was opened, in the extras of its `Connected`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened(pub(super) Instant);

/// Returns whether bytes were received on a connection since `start`. `false` if the connector does
/// not track it.
fn has_received(connection: &Connected, start: Instant) -> bool {
    let mut extras = Extensions::new();
    connection.get_extras(&mut extras);
    let (Some(Opened(opened)), Some(last)) = (extras.get(), extras.get::<ConnectionUse>()) else {
        return false;
    };
    last.last_read().and_then(|age| opened.checked_add(age)).is_some_and(|read| read > start)
}
