//! What an origin does.

use std::io;

use tokio::{io::AsyncWriteExt, net::TcpStream};

/// What an origin does with a connection, or with each request on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Script {
    /// Answers 200 `ok`.
    Healthy,
    /// Answers 502 to each request whose number, counted from 1, is a multiple of `every`, and 200 to the others.
    Flaky {
        /// At least 1.
        every: u64,
    },
    /// Answers with this status and a short body.
    Status(u16),
    /// Answers 503 with `Retry-After` to each request whose number, counted from 1, is a multiple of `every`, and 200 to
    /// the others.
    Busy {
        /// At least 1.
        every: u64,
        /// The header's value.
        seconds: u64,
    },
    /// Answers every request with this status, these header lines, each with its line end, and a short body.
    Always(u16, &'static str),
    /// Answers the first request with this status and these header lines, each with its line end; others with 200.
    Once(u16, &'static str),
    /// Answers with this status as soon as the head has come, and only then reads the body.
    EarlyStatus(u16),
    /// Answers 200 to so many requests on each connection, and closes it as the next one arrives: what a client meets
    /// when the server gives up an idle connection in just that moment.
    StaleAfter {
        /// At least 1.
        requests: u64,
    },
    /// Nobody listens.
    Refuse,
    /// Closes each connection as soon as it is made.
    AcceptClose,
    /// Reads a request, then closes the connection without a word.
    ReadClose,
    /// Reads a request, then resets the connection.
    Reset,
    /// Reads a request and never answers.
    Silent,
    /// Answers with bytes that are not HTTP.
    Garbage,
    /// Closes in the middle of the response's head.
    TruncatedHead,
    /// Answers 200 with half of the body that it announces, then closes.
    TruncatedBody,
    /// Answers 200 with part of a chunked body, then closes.
    TruncatedChunks,
    /// Answers with a head of a megabyte.
    HugeHead,
    /// Answers 200 `ok` with one header of so many bytes.
    LongHead(usize),
    /// Answers with these bytes, whatever they are, then closes.
    Raw(&'static [u8]),
}

impl Script {
    pub(crate) fn answers_early(self) -> bool {
        matches!(self, Self::EarlyStatus(_))
    }

    /// Returns whether the connection stays open for another request.
    pub(crate) async fn answer(self, stream: &mut TcpStream, number: u64) -> io::Result<bool> {
        let response = match self {
            Self::Flaky { every } if number.is_multiple_of(every.max(1)) => whole(502, ""),
            Self::Status(status) | Self::EarlyStatus(status) => whole(status, ""),
            Self::Busy { every, seconds } if number.is_multiple_of(every.max(1)) => {
                whole(503, &format!("retry-after: {seconds}\r\n"))
            }
            Self::Always(status, headers) => whole(status, headers),
            Self::Once(status, headers) if number == 1 => whole(status, headers),
            Self::LongHead(bytes) => whole(200, &format!("x-long: {}\r\n", "x".repeat(bytes))),
            Self::Healthy
            | Self::Once(..)
            | Self::StaleAfter { .. }
            | Self::Flaky { .. }
            | Self::Busy { .. } => whole(200, ""),
            Self::Refuse | Self::AcceptClose | Self::ReadClose => return Ok(false),
            Self::Reset => {
                // A linger of zero makes closing send a reset.
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
        // A client may close as soon as it has seen enough.
        stream.write_all(response.as_bytes()).await?;
        stream.flush().await?;
        Ok(matches!(
            self,
            Self::Healthy
                | Self::Always(..)
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

fn whole(status: u16, headers: &str) -> String {
    let body = if status == 200 { "ok" } else { "failed on purpose" };
    let length = body.len();
    format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}
