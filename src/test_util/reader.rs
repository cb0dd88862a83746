//! Reading requests from a connection.

use std::io;

use bytes::{Buf, BytesMut};
use httparse::Status;
use tokio::{io::AsyncReadExt, net::TcpStream};

use super::head::{Framing, Head, parse};

/// What is read ahead at most: also the longest head.
const MOST: usize = 64 << 10;

/// What was read from a connection and is not used up yet.
#[derive(Debug, Default)]
pub(super) struct Reader {
    buffer: BytesMut,
}

impl Reader {
    /// `None`: the connection ended before another request. What is not HTTP is `InvalidData`.
    pub(super) async fn head(&mut self, stream: &mut TcpStream) -> io::Result<Option<Head>> {
        loop {
            if let Some((head, length)) = parse(&self.buffer)? {
                self.buffer.advance(length);
                return Ok(Some(head));
            }
            match self.more(stream).await {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                more => more?,
            }
        }
    }

    /// Reads a body to its end, piece by piece.
    pub(super) async fn body(
        &mut self,
        stream: &mut TcpStream,
        framing: Framing,
        mut each: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let Framing::Length(length) = framing else {
            loop {
                let size = self.chunk_size(stream).await?;
                if size == 0 {
                    // Trailers, up to an empty line.
                    while self.line(stream).await? > 0 {}
                    return Ok(());
                }
                self.take(stream, size, &mut each).await?;
                if self.line(stream).await? > 0 {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        };
        self.take(stream, length, &mut each).await
    }

    async fn chunk_size(&mut self, stream: &mut TcpStream) -> io::Result<u64> {
        loop {
            match httparse::parse_chunk_size(&self.buffer) {
                Ok(Status::Complete((length, size))) => {
                    self.buffer.advance(length);
                    return Ok(size);
                }
                Ok(Status::Partial) => self.more(stream).await?,
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    async fn take(
        &mut self,
        stream: &mut TcpStream,
        mut left: u64,
        each: &mut impl FnMut(&[u8]),
    ) -> io::Result<()> {
        while left > 0 {
            if self.buffer.is_empty() {
                self.more(stream).await?;
            }
            let piece = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            each(&self.buffer.split_to(piece));
            left -= piece as u64;
        }
        Ok(())
    }

    /// Skips a line, and returns its length.
    async fn line(&mut self, stream: &mut TcpStream) -> io::Result<usize> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                self.buffer.advance(end + 2);
                return Ok(end);
            }
            self.more(stream).await?;
        }
    }

    async fn more(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        if self.buffer.len() >= MOST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.buffer.reserve(8 << 10);
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
