//! Reading requests from a connection.

use std::io;

use bytes::{Buf, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header, request::Parts};
use httparse::Status;
use tokio::{io::AsyncReadExt, net::TcpStream};

/// What is read ahead at most: also the longest head.
const MOST: usize = 64 << 10;
const MOST_HEADERS: usize = 100;

/// What was read from a connection and is not used up yet.
#[derive(Debug, Default)]
pub(super) struct Reader {
    buffer: BytesMut,
}

/// The head of a request.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) parts: Parts,
    pub(super) framing: Framing,
    /// Another request may follow.
    pub(super) keep_alive: bool,
    /// The client waits for a word before it sends the body (RFC 9110 §10.1.1).
    pub(super) expects_continue: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
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

/// The head at the beginning of `bytes`, and its length; `None` if there is not all of it.
fn parse(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes).map_err(invalid)? {
        Status::Complete(length) => length,
        Status::Partial => return Ok(None),
    };
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = request.method.unwrap_or_default().parse::<Method>().map_err(invalid)?;
    parts.uri = request.path.unwrap_or_default().parse::<Uri>().map_err(invalid)?;
    for header in request.headers.iter() {
        let name = header.name.parse::<HeaderName>().map_err(invalid)?;
        parts.headers.append(name, HeaderValue::from_bytes(header.value).map_err(invalid)?);
    }
    // RFC 9112 §9.3.
    let closes =
        request.version == Some(0) || has_token(&parts.headers, &header::CONNECTION, "close");
    let head = Head {
        framing: framing(&parts.headers)?,
        keep_alive: !closes,
        expects_continue: has_token(&parts.headers, &header::EXPECT, "100-continue"),
        parts,
    };
    Ok(Some((head, length)))
}

/// RFC 9112 §6.3.
fn framing(headers: &HeaderMap) -> io::Result<Framing> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(Framing::Chunked);
    }
    let Some(length) = headers.get(header::CONTENT_LENGTH) else { return Ok(Framing::Length(0)) };
    let length = length.to_str().map_err(invalid)?;
    Ok(Framing::Length(length.parse().map_err(invalid)?))
}

/// Whether a list of words has this one (RFC 9110 §5.6.1).
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(token))
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
