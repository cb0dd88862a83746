//! Reads the response body, up to limits of size and time.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use seawall::{BoxError, Cause, Failure, Processed, Reporter, classify::classify_body_error};
use tokio::time::{Instant, timeout};

/// The maximum size of the excerpt.
const MAX_EXCERPT_BYTES: usize = 64 << 10;

const MAX_BODY_BYTES: usize = 1 << 20;

/// Reads a body to its end or to a limit, and describes its size. Copies the start of the body into
/// `excerpt`.
pub(super) async fn read_body<B>(
    body: B,
    frame_timeout: Duration,
    excerpt: &mut Vec<u8>,
) -> Result<String, (Failure, String)>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let mut body = pin!(body);
    let mut size = 0;
    // Limits a body that arrives slowly without end.
    let deadline = Instant::now() + 3 * frame_timeout;
    loop {
        let frame = match timeout(frame_timeout, body.frame()).await {
            Ok(None) => return Ok(format!("{} body", format_size(size))),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => {
                let failure = classify_body_error(&*error.into());
                return Err((failure, format!("the body ended early after {}", format_size(size))));
            }
            Err(_) => {
                let failure = Failure::new(Cause::ConnectionReadTimeout)
                    .with_reporter(Reporter::Local)
                    .with_processed(Processed::Yes);
                return Err((failure, format!("the body stalled after {}", format_size(size))));
            }
        };
        if let Some(data) = frame.data_ref() {
            size += data.len();
            let room = MAX_EXCERPT_BYTES.saturating_sub(excerpt.len());
            excerpt.extend_from_slice(&data[..data.len().min(room)]);
        }
        if size > MAX_BODY_BYTES || Instant::now() > deadline {
            return Ok(format!(
                "body larger than {}, not read to its end",
                format_size(size.min(MAX_BODY_BYTES))
            ));
        }
    }
}

fn format_size(size: usize) -> String {
    match size {
        0..1_024 => format!("{size} B"),
        1_024..1_048_576 => format!("{:.1} KiB", size as f64 / 1_024.0),
        _ => format!("{:.1} MiB", size as f64 / 1_048_576.0),
    }
}
