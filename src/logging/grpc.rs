//! The status of a gRPC call, in the head of its response or in its trailers.

use http::{HeaderMap, HeaderValue};

/// The values of `grpc-status` and `grpc-message`.
#[derive(Debug)]
pub(super) struct GrpcStatus {
    code: HeaderValue,
    pub(super) message: Option<HeaderValue>,
}

impl GrpcStatus {
    pub(super) fn find(headers: &HeaderMap) -> Option<Self> {
        let code = headers.get("grpc-status")?.clone();
        Some(Self { code, message: headers.get("grpc-message").cloned() })
    }

    pub(super) fn is_ok(&self) -> bool {
        self.code == "0"
    }

    /// Returns the name of the status code: <https://grpc.io/docs/guides/status-codes/>.
    pub(super) fn name(&self) -> &'static str {
        match self.code.as_bytes() {
            b"0" => "OK",
            b"1" => "CANCELLED",
            b"3" => "INVALID_ARGUMENT",
            b"4" => "DEADLINE_EXCEEDED",
            b"5" => "NOT_FOUND",
            b"6" => "ALREADY_EXISTS",
            b"7" => "PERMISSION_DENIED",
            b"8" => "RESOURCE_EXHAUSTED",
            b"9" => "FAILED_PRECONDITION",
            b"10" => "ABORTED",
            b"11" => "OUT_OF_RANGE",
            b"12" => "UNIMPLEMENTED",
            b"13" => "INTERNAL",
            b"14" => "UNAVAILABLE",
            b"15" => "DATA_LOSS",
            b"16" => "UNAUTHENTICATED",
            // The specification maps unknown codes to 2.
            _ => "UNKNOWN",
        }
    }
}
