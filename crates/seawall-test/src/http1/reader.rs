//! Reads requests from a connection.

use std::io;

use bytes::{Buf, BytesMut};
use httparse::Status;
use tokio::{io::AsyncReadExt, net::TcpStream};

use super::head::{Framing, Head, parse};

/// The maximum size of the buffer, and thus of a head.
const MAX_BUFFERED_BYTES: usize = 64 << 10;

/// A reader with a buffer of the bytes that were read from a connection and not parsed yet.
#[derive(Debug, Default)]
pub(super) struct Reader {
    buffer: BytesMut,
}

impl Reader {
    /// Reads a head. Returns `None` if the connection ended before another request.
    ///
    /// # Errors
    /// Returns `InvalidData` for bytes that are not HTTP.
    pub(super) async fn head(&mut self, stream: &mut TcpStream) -> io::Result<Option<Head>> {
        loop {
            if let Some((head, length)) = parse(&self.buffer)? {
                self.buffer.advance(length);
                return Ok(Some(head));
            }
            match self.fill(stream).await {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                result => result?,
            }
        }
    }

    /// Reads a body to its end, and passes each part to `on_data`.
    pub(super) async fn body(
        &mut self,
        stream: &mut TcpStream,
        framing: Framing,
        mut on_data: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let Framing::Length(length) = framing else {
            loop {
                let size = self.chunk_size(stream).await?;
                if size == 0 {
                    // Trailers, up to an empty line.
                    while self.skip_line(stream).await? > 0 {}
                    return Ok(());
                }
                self.read_exact(stream, size, &mut on_data).await?;
                if self.skip_line(stream).await? > 0 {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        };
        self.read_exact(stream, length, &mut on_data).await
    }

    async fn chunk_size(&mut self, stream: &mut TcpStream) -> io::Result<u64> {
        loop {
            match httparse::parse_chunk_size(&self.buffer) {
                Ok(Status::Complete((length, size))) => {
                    self.buffer.advance(length);
                    return Ok(size);
                }
                Ok(Status::Partial) => self.fill(stream).await?,
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    async fn read_exact(
        &mut self,
        stream: &mut TcpStream,
        mut remaining: u64,
        on_data: &mut impl FnMut(&[u8]),
    ) -> io::Result<()> {
        while remaining > 0 {
            if self.buffer.is_empty() {
                self.fill(stream).await?;
            }
            let size = self.buffer.len().min(usize::try_from(remaining).unwrap_or(usize::MAX));
            on_data(&self.buffer.split_to(size));
            remaining -= size as u64;
        }
        Ok(())
    }

    /// Skips a line, and returns its length without the line end.
    async fn skip_line(&mut self, stream: &mut TcpStream) -> io::Result<usize> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                self.buffer.advance(end + 2);
                return Ok(end);
            }
            self.fill(stream).await?;
        }
    }

    async fn fill(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        if self.buffer.len() >= MAX_BUFFERED_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.buffer.reserve(8 << 10);
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
