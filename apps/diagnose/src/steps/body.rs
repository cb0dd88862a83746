//! The response's body, to its end or to where it is enough.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use seawall::{BoxError, Cause, Failure, Processed, Reporter, classify::classify_body_error};
use tokio::time::{Instant, timeout};

/// What is kept of a body, to say what it says.
const KEPT: usize = 64 << 10;

/// What is read of a body.
const READ: usize = 1 << 20;

/// Reads a body to its end, or to where it is enough; says how much there was.
pub(super) async fn drain<B>(
    body: B,
    limit: Duration,
    start: &mut Vec<u8>,
) -> Result<String, (Failure, String)>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let mut body = pin!(body);
    let mut size = 0;
    // One that drips for ever is as good as one that is large.
    let enough = Instant::now() + 3 * limit;
    loop {
        let frame = match timeout(limit, body.frame()).await {
            Ok(None) => return Ok(format!("{} of body", bytes(size))),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => {
                let failure = classify_body_error(&*error.into());
                return Err((failure, format!("the body broke off after {}", bytes(size))));
            }
            Err(_) => {
                let failure = Failure::new(Cause::ConnectionReadTimeout)
                    .with_reporter(Reporter::Local)
                    .with_processed(Processed::Yes);
                return Err((failure, format!("the body stood still after {}", bytes(size))));
            }
        };
        if let Some(data) = frame.data_ref() {
            size += data.len();
            let room = KEPT.saturating_sub(start.len());
            start.extend_from_slice(&data[..data.len().min(room)]);
        }
        if size > READ || Instant::now() > enough {
            return Ok(format!("more than {} of body, not read to its end", bytes(size.min(READ))));
        }
    }
}

fn bytes(size: usize) -> String {
    match size {
        0..1_024 => format!("{size} B"),
        1_024..1_048_576 => format!("{:.1} KiB", size as f64 / 1_024.0),
        _ => format!("{:.1} MiB", size as f64 / 1_048_576.0),
    }
}
