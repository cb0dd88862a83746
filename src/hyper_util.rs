//! [`TrackReuse`]: lets a failure say that it met a connection which the server had just closed for idleness.
//!
//! Behind a load balancer this is the commonest 502 of all: a pooled connection was idle, the server closed it, and the
//! request was written to it in that moment. hyper's error is then the same as for a server that crashes at the request.
//! With this wrapper around the connector, [`Failure::is_stale_connection`](crate::Failure::is_stale_connection) tells
//! one from the other, and the log says so. The remedy is on the server: a keep-alive timeout longer than the client's
//! (`pool_idle_timeout`, 90 s unless set).
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
//! Whether a request is sent again does not depend on it: an idempotent one is, another is not, since a server may well
//! have read a request before it closed. One thing does: a request that was never written (hyper's "canceled") to a
//! connection that is known to have been used before is sent again free of charge, once.
//!
//! Put it around the connector for TLS, not inside: the bytes of a handshake are no answer. Of HTTP/2 connections it says
//! nothing.
//!
//! # Timeouts of connecting
//!
//! `HttpConnector::set_connect_timeout` ends with TCP's handshake. A [`TimeoutLayer`](crate::timeout::TimeoutLayer) around the connector for
//! TLS covers that one too; what it ends was not sent, and may be sent again whatever its method. The client asks for a future
//! that is `Unpin`:
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
//! # fn takes(_: Client<impl Clone, String>) {}
//! # takes(client);
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
use tower_service::Service;

/// A connector whose connections know whether they were used before. See the [module docs](self).
#[derive(Clone, Debug)]
pub struct TrackReuse<C> {
    inner: C,
}

impl<C> TrackReuse<C> {
    /// Wraps a connector, such as `HttpConnector` or one for TLS.
    pub const fn new(inner: C) -> Self {
        Self { inner }
    }
}

impl<C: Service<Uri>> Service<Uri> for TrackReuse<C> {
    type Response = Tracked<C::Response>;
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
    type Output = Result<Tracked<T>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = ready!(self.project().inner.poll(cx))?;
        Poll::Ready(Ok(Tracked { inner, last_use: ConnectionUse::default() }))
    }
}

pin_project! {
    /// Connection of [`TrackReuse`].
    #[derive(Debug)]
    pub struct Tracked<T> {
        #[pin]
        inner: T,
        last_use: ConnectionUse,
    }
}

impl<T: Connection> Connection for Tracked<T> {
    fn connected(&self) -> Connected {
        self.inner.connected().extra(self.last_use.clone())
    }
}

impl<T: Read> Read for Tracked<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut out: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        if this.last_use.is_settled() {
            return this.inner.poll_read(cx, out);
        }
        // Only the owner of a buffer can see how much was read, and reading nothing is the end. So the first bytes of a
        // response, and only those, are read into an own buffer and copied.
        let mut bytes = [const { MaybeUninit::uninit() }; 1_024];
        let size = bytes.len().min(out.remaining());
        let mut buffer = ReadBuf::uninit(&mut bytes[..size]);
        ready!(this.inner.poll_read(cx, buffer.unfilled()))?;
        if !buffer.filled().is_empty() {
            this.last_use.on_read();
            out.put_slice(buffer.filled());
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: Write> Write for Tracked<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        this.last_use.on_write(bytes);
        this.inner.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        this.last_use
            .on_write(bytes.iter().find(|bytes| !bytes.is_empty()).map_or(&[], |bytes| bytes));
        this.inner.poll_write_vectored(cx, bytes)
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
