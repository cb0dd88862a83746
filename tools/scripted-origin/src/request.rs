//! Reads requests from a connection.

use std::io;

use tokio::{io::AsyncReadExt, net::TcpStream};

/// A received request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The request line and the headers, including the empty line.
    pub head: String,
    /// The body, without chunk framing.
    pub body: Vec<u8>,
}

const MAX_HEAD_BYTES: usize = 1 << 20;

/// Reads a head. Returns `None` if the connection ends before its empty line.
pub(crate) async fn read_head(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            let head = buffer.drain(..end + 4).collect::<Vec<_>>();
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
        if buffer.len() > MAX_HEAD_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// Reads the body that belongs to a head.
pub(crate) async fn read_body(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    head: String,
) -> io::Result<Received> {
    let mut body = Vec::new();
    if header(&head, "transfer-encoding").is_some() {
        loop {
            let line = read_line(stream, buffer).await?;
            let size = usize::from_str_radix(&line, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            body.extend(read_exact(stream, buffer, size).await?);
            if size == 0 {
                // The trailers end with an empty line.
                while !read_line(stream, buffer).await?.is_empty() {}
                break;
            }
            read_line(stream, buffer).await?;
        }
    } else if let Some(length) = header(&head, "content-length") {
        let length = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        body = read_exact(stream, buffer, length).await?;
    }
    Ok(Received { head, body })
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

async fn read_line(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<String> {
    loop {
        if let Some(end) = find(buffer, b"\r\n") {
            let line = buffer.drain(..end + 2).collect::<Vec<_>>();
            return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
        }
        fill(stream, buffer).await?;
    }
}

async fn read_exact(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    size: usize,
) -> io::Result<Vec<u8>> {
    while buffer.len() < size {
        fill(stream, buffer).await?;
    }
    Ok(buffer.drain(..size).collect())
}

/// Reads more bytes into the buffer.
async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(buffer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
