//! A record of the bytes of a connection, which the errors of the HTTP and TLS libraries omit.

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The number of received bytes to keep, which contain the greeting of any known protocol.
const MAX_FIRST_BYTES: usize = 256;

/// How the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The server closed it (FIN).
    Closed,
    /// The server, or a device before it, reset it (RST).
    Reset,
}

impl End {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Reset => "reset",
        }
    }
}

/// The bytes of a connection so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// The first received bytes, at most 256.
    pub(crate) first: Vec<u8>,
    /// Whether bytes were received before any was sent.
    pub(crate) spoke_first: bool,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// `None` while the connection is open.
    pub(crate) end: Option<End>,
}

impl Record {
    fn on_received(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            self.end.get_or_insert(End::Closed);
        }
        self.spoke_first |= self.sent == 0 && !bytes.is_empty();
        self.received += bytes.len() as u64;
        let room = MAX_FIRST_BYTES - self.first.len();
        self.first.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn on_error(&mut self, error: &io::Error) {
        match error.kind() {
            // A write after the reset returns `BrokenPipe` if an earlier call returned the reset.
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => {
                self.end = Some(End::Reset);
            }
            ErrorKind::BrokenPipe => {
                self.end.get_or_insert(End::Closed);
            }
            _ => {}
        }
    }
}

/// The record of a connection that another task drives.
///
/// # Clone
///
/// Clones share the record.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedRecord(Arc<Mutex<Record>>);

impl SharedRecord {
    /// Returns a copy of the record.
    pub(crate) fn get(&self) -> Record {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn update(&self, update: impl FnOnce(&mut Record)) {
        update(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A connection that keeps a [`Record`].
#[derive(Debug)]
pub(crate) struct Wire<T> {
    io: T,
    record: SharedRecord,
}

impl<T> Wire<T> {
    /// Wraps a connection. The record is shared with the returned handle.
    pub(crate) fn new(io: T) -> (Self, SharedRecord) {
        let record = SharedRecord::default();
        (Self { io, record: record.clone() }, record)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buf.filled().len();
        let result = ready!(Pin::new(&mut self.io).poll_read(cx, buf));
        self.record.update(|record| match &result {
            Ok(()) if buf.capacity() > filled => record.on_received(&buf.filled()[filled..]),
            Ok(()) => {}
            Err(error) => record.on_error(error),
        });
        Poll::Ready(result)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.io).poll_write(cx, buf));
        self.record.update(|record| match &result {
            Ok(size) => record.sent += *size as u64,
            Err(error) => record.on_error(error),
        });
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.io).poll_flush(cx));
        if let Err(error) = &result {
            self.record.update(|record| record.on_error(error));
        }
        Poll::Ready(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The result is about this side only: it does not show how the server ended.
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
