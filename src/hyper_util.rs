//! [`TrackReuse`] detects failures on pooled connections that the server closed as idle.
//! [`PoisonOnTimeout`] replaces connections whose peer has disappeared.
//!
//! Such failures are a common cause of a 502 behind a load balancer. A pooled connection was idle,
//! and the server closed it while the client wrote the request. hyper's error is the same as for a
//! server that crashes during the request. With this wrapper around the connector,
//! [`Failure::is_stale_connection`](crate::Failure::is_stale_connection) distinguishes the two, and
//! the log contains the result with the idle time: `stale connection, idle 65s`. If the
//! connection was idle for less than a second, the log contains `reused connection, idle 3ms`
//! instead, because no common server closes an idle connection so soon.
//!
//! The wrapper also detects servers of another protocol by their first bytes: TLS, HTTP/2, or a
//! protocol in which the server sends first, such as SSH.
//!
//! To fix the cause, set a longer keep-alive timeout on the server than on the client
//! (`pool_idle_timeout`, 90 s by default).
//!
//! ```
//! use http_body_util::Empty;
//! use hyper_util::{
//!     client::legacy::{Client, connect::HttpConnector},
//!     rt::TokioExecutor,
//! };
//! use seawall::{hyper_util::TrackReuse, retry::{ReplayBody, RetryLayer}};
//!
//! let client = Client::builder(TokioExecutor::new())
//!     .build::<_, ReplayBody<Empty<bytes::Bytes>>>(TrackReuse::new(HttpConnector::new()));
//! # let _ = client;
//! ```
//!
//! A stale connection does not by itself change the retry decision. Idempotent requests are retried
//! and others are not, because a server may have read a request before it closed the connection.
//! There is one exception. If a request was never written (hyper's "canceled"), and the connection
//! is known to have been used before, the request is resent once. This retry does not count towards
//! any limit.
//!
//! Wrap the TLS connector, not the connector inside it. Otherwise the wrapper mistakes the bytes of
//! the TLS handshake for a response. HTTP/2 connections are not tracked.
//!
//! # Silent connections
//!
//! The peer of a connection can disappear without closing it. Nothing is refused and nothing
//! responds, until the kernel gives up after about 15 minutes. Over HTTP/1.1, a call that times out
//! closes its connection. Over HTTP/2, all calls share one connection, so that every retry and every
//! probe of a circuit fails as well. There are two remedies, and a client should have both:
//!
//! - **Pings**: the client closes a connection that does not respond to a ping. Without pings of the
//!   client, no layer can detect a dead connection before a call times out.
//! - **[`PoisonOnTimeout`]**: after a timeout on a silent connection, the next attempt opens
//!   another.
//!
//! ```
//! # #[cfg(feature = "h2")] {
//! use std::time::Duration;
//! use hyper_util::{
//!     client::legacy::{Client, connect::HttpConnector},
//!     rt::{TokioExecutor, TokioTimer},
//! };
//! use seawall::hyper_util::{PoisonOnTimeout, TrackReuse};
//!
//! let client = Client::builder(TokioExecutor::new())
//!     .timer(TokioTimer::new())
//!     .http2_keep_alive_interval(Duration::from_secs(10))
//!     .http2_keep_alive_timeout(Duration::from_secs(5))
//!     .http2_keep_alive_while_idle(true)
//!     .build(TrackReuse::new(HttpConnector::new()));
//! let client = PoisonOnTimeout::new(client);
//! # fn check(_: PoisonOnTimeout<Client<TrackReuse<HttpConnector>, String>>) {}
//! # check(client);
//! # }
//! ```
//!
//! The pings need hyper-util's feature `http2`. reqwest and tonic have settings of the same names:
//! see *Silent connections* in `seawall::reqwest` and `seawall::tonic`. gRPC servers close a
//! connection that pings more often than they permit.
//!
//! # Connect timeouts
//!
//! `HttpConnector::set_connect_timeout` covers only the TCP handshake. A
//! [`TimeoutLayer`](crate::timeout::TimeoutLayer) around the TLS connector covers the TLS handshake
//! too. A request whose connection timed out was not sent, so a request of any method may be
//! retried. The client requires an `Unpin` future:
//!
//! ```
//! # #[cfg(feature = "timeout")] {
//! use std::time::Duration;
//! use hyper_util::{client::legacy::{Client, connect::HttpConnector}, rt::TokioExecutor};
//! use seawall::{hyper_util::TrackReuse, timeout::TimeoutLayer};
//! use tower::ServiceBuilder;
//!
//! let connector = ServiceBuilder::new()
//!     .map_future(Box::pin)
//!     .layer(TimeoutLayer::new(Duration::from_secs(1)))
//!     .service(TrackReuse::new(HttpConnector::new()));
//! let client = Client::builder(TokioExecutor::new()).build(connector);
//! # fn check(_: Client<impl Clone, String>) {}
//! # check(client);
//! # }
//! ```

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::hyper_util::client::legacy::connect::{Connected, Connection};
use http::Uri;
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use pin_project_lite::pin_project;
use seawall_core::connection::ConnectionUse;
use tokio::time::Instant;
use tower_service::Service;

mod poison;

use self::poison::Opened;
pub use self::poison::{PoisonFuture, PoisonOnTimeout};

/// A connector that tracks whether its connections were used before. See the [module docs](self).
#[derive(Clone, Debug)]
pub struct TrackReuse<C> {
    inner: C,
}

impl<C> TrackReuse<C> {
    /// Wraps a connector, such as `HttpConnector` or a TLS connector.
    pub const fn new(inner: C) -> Self {
        Self { inner }
    }
}

impl<C: Service<Uri>> Service<Uri> for TrackReuse<C> {
    type Response = TrackedConnection<C::Response>;
    type Error = C::Error;
    type Future = ConnectFuture<C::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        ConnectFuture { inner: self.inner.call(uri) }
    }
}

pin_project! {
    /// Future of [`TrackReuse`].
    #[derive(Debug)]
    pub struct ConnectFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, T, E> Future for ConnectFuture<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<TrackedConnection<T>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = ready!(self.project().inner.poll(cx))?;
        let connection_use = ConnectionUse::default();
        Poll::Ready(Ok(TrackedConnection { inner, connection_use, opened: Instant::now() }))
    }
}

pin_project! {
    /// Connection of [`TrackReuse`].
    #[derive(Debug)]
    pub struct TrackedConnection<T> {
        #[pin]
        inner: T,
        connection_use: ConnectionUse,
        opened: Instant,
    }
}

impl<T: Connection> Connection for TrackedConnection<T> {
    fn connected(&self) -> Connected {
        self.inner.connected().extra(self.connection_use.clone()).extra(Opened(self.opened))
    }
}

impl<T: Read> Read for TrackedConnection<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut out: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        if this.connection_use.is_settled() {
            let result = this.inner.poll_read(cx, out);
            if result.is_ready() {
                this.connection_use.on_more(this.opened.elapsed());
            }
            return result;
        }
        // `out` does not show how many bytes a read added, and a read of zero bytes is the end of
        // the stream. Therefore the first bytes of a response go through a separate buffer.
        let mut bytes = [const { MaybeUninit::uninit() }; 1_024];
        let size = bytes.len().min(out.remaining());
        let mut buffer = ReadBuf::uninit(&mut bytes[..size]);
        ready!(this.inner.poll_read(cx, buffer.unfilled()))?;
        if !buffer.filled().is_empty() {
            this.connection_use.on_read(buffer.filled(), this.opened.elapsed());
            out.put_slice(buffer.filled());
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: Write> Write for TrackedConnection<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        this.connection_use.on_write(bytes, || this.opened.elapsed());
        this.inner.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
        this.connection_use.on_write(first, || this.opened.elapsed());
        this.inner.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_shutdown(cx)
    }
}
