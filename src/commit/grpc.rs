use http::HeaderMap;

use super::{Judge, Reading};
use crate::headers::is_grpc;

/// Finds a gRPC status in trailers that follow the head at once, without a message.
///
/// Such a response fails, but its head claims success: only a "trailers-only" response has its
/// status in the head. This judge moves the trailers there, so that
/// [`GrpcClassifier`](crate::classify::GrpcClassifier) classifies the failure, and a caller that
/// gives up still gets status, message and details.
///
/// It reads at most one frame, which must be ready with the head. It does not wait, because a stream
/// may be silent for long before its first message (gRFC A6 ends all retries at the head).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PeekTrailers {}

impl PeekTrailers {
    /// Creates a judge without settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl Judge for PeekTrailers {
    fn reading(&self, headers: &HeaderMap) -> Option<Reading> {
        let is_open = is_grpc(headers) && !headers.contains_key("grpc-status");
        is_open.then_some(Reading::Trailers)
    }
}
