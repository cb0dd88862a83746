//! The script of an origin.

use std::{io, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream};

/// The reaction of an origin to each connection or request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Script {
    /// Responds with 200 and the body `ok`.
    Healthy,
    /// Responds with 502 to every n-th request, and with 200 to the others.
    Flaky {
        /// The n, at least 1.
        every: u64,
    },
    /// Responds with 200 after this time.
    Delayed {
        /// The time, in milliseconds.
        millis: u64,
    },
    /// Responds with this status and a short body.
    Status(u16),
    /// Responds with 503 and `Retry-After` to every n-th request, and with 200 to the others.
    Busy {
        /// The n, at least 1.
        every: u64,
        /// The value of `Retry-After`.
        seconds: u64,
    },
    /// Responds with this status, these header lines and a short body. Each header line ends with
    /// CRLF.
    Always(u16, &'static str),
    /// Responds to the first request like [`Always`](Self::Always), and to the others with 200.
    Once(u16, &'static str),
    /// Responds with this status after the head, and only then reads the body.
    EarlyStatus(u16),
    /// Responds with 200 to this many requests per connection, and closes the connection when the
    /// next request arrives. This imitates a server that closes an idle connection while a request
    /// arrives.
    StaleAfter {
        /// The number of requests, at least 1.
        requests: u64,
    },
    /// Does not listen.
    Refuse,
    /// Closes each connection after accepting it.
    AcceptClose,
    /// Reads a request, then closes the connection without a response.
    ReadClose,
    /// Reads a request, then resets the connection.
    Reset,
    /// Reads a request, and never responds.
    Silent,
    /// Responds with bytes that are not HTTP.
    Garbage,
    /// Closes the connection within the response head.
    TruncatedHead,
    /// Responds with 200 and half of the announced body, then closes the connection.
    TruncatedBody,
    /// Responds with 200 and part of a chunked body, then closes the connection.
    TruncatedChunks,
    /// Responds with a head of more than 1 MiB.
    HugeHead,
    /// Responds with 200, the body `ok`, and a header of this many bytes.
    LongHead(usize),
    /// Responds with these bytes, then closes the connection.
    Raw(&'static [u8]),
}

impl Script {
    pub(crate) fn responds_early(self) -> bool {
        matches!(self, Self::EarlyStatus(_))
    }

    /// Responds to a request. Returns whether the connection stays open for another.
    pub(crate) async fn respond(self, stream: &mut TcpStream, number: u64) -> io::Result<bool> {
        let bytes = match self {
            Self::Flaky { every } if number.is_multiple_of(every.max(1)) => response(502, ""),
            Self::Status(status) | Self::EarlyStatus(status) => response(status, ""),
            Self::Busy { every, seconds } if number.is_multiple_of(every.max(1)) => {
                response(503, &format!("retry-after: {seconds}\r\n"))
            }
            Self::Always(status, headers) => response(status, headers),
            Self::Once(status, headers) if number == 1 => response(status, headers),
            Self::Delayed { millis } => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                response(200, "")
            }
            Self::LongHead(bytes) => response(200, &format!("x-long: {}\r\n", "x".repeat(bytes))),
            Self::Healthy
            | Self::Once(..)
            | Self::StaleAfter { .. }
            | Self::Flaky { .. }
            | Self::Busy { .. } => response(200, ""),
            Self::Refuse | Self::AcceptClose | Self::ReadClose => return Ok(false),
            Self::Reset => {
                // With a linger of zero, closing the socket sends a reset.
                stream.set_zero_linger()?;
                return Ok(false);
            }
            Self::Silent => std::future::pending().await,
            Self::Garbage => "\u{16}\u{3}\u{1} this is not HTTP\r\n\r\n".into(),
            Self::TruncatedHead => "HTTP/1.1 200 OK\r\ncontent-le".into(),
            Self::TruncatedBody => "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf.".into(),
            Self::TruncatedChunks => {
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhalf.\r\n5\r\nha".into()
            }
            Self::HugeHead => format!("HTTP/1.1 200 OK\r\nx-huge: {}\r\n\r\n", "x".repeat(1 << 20)),
            Self::Raw(bytes) => {
                stream.write_all(bytes).await?;
                return Ok(false);
            }
        };
        stream.write_all(bytes.as_bytes()).await?;
        stream.flush().await?;
        Ok(matches!(
            self,
            Self::Healthy
                | Self::Always(..)
                | Self::Delayed { .. }
                | Self::Once(..)
                | Self::LongHead(_)
                | Self::StaleAfter { .. }
                | Self::Flaky { .. }
                | Self::Status(_)
                | Self::Busy { .. }
                | Self::EarlyStatus(_)
        ))
    }
}

fn response(status: u16, headers: &str) -> String {
    let body = if status == 200 { "ok" } else { "failed on purpose" };
    let length = body.len();
    format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}
