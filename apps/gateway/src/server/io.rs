//! Records what happens on a connection.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection_info::ConnectionInfo;

/// The start of the HTTP/2 connection preface (RFC 9113, section 3.4). Not an HTTP/1.1 method.
const HTTP2_PREFACE_START: &[u8] = b"PRI ";

/// A connection that records its activity.
pub(super) struct RecordedIo<S> {
    inner: S,
    connection: ConnectionInfo,
    has_received: bool,
}

impl<S> RecordedIo<S> {
    pub(super) fn new(inner: S, connection: ConnectionInfo) -> Self {
        Self { inner, connection, has_received: false }
    }

    fn record_write<T>(&self, result: Poll<T>) -> Poll<T> {
        let activity = self.connection.activity();
        match result {
            Poll::Ready(_) => activity.record_sent(),
            Poll::Pending => activity.record_send_blocked(),
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RecordedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        let received = buf.filled().get(before..).unwrap_or_default();
        if !received.is_empty() {
            let activity = self.connection.activity();
            if !self.has_received && received.starts_with(HTTP2_PREFACE_START) {
                activity.set_http2();
            }
            activity.record_received();
            self.has_received = true;
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RecordedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.record_write(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.record_write(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_flush(cx);
        self.record_write(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.record_write(result)
    }
}
