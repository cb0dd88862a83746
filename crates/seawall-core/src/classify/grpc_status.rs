use crate::failure::Cause;

/// Returns the cause of a gRPC status in decimal digits; `None` for success.
pub(super) const fn cause_from_code(code: &[u8]) -> Option<Cause> {
    Some(match code {
        b"0" => return None,
        b"1" => Cause::Cancelled,
        b"4" => Cause::HttpResponseTimeout,
        b"8" => Cause::RateLimited,
        b"10" => Cause::Conflict,
        b"14" => Cause::DestinationUnavailable,
        b"3" | b"5" | b"6" | b"7" | b"9" | b"11" | b"16" => Cause::ClientError,
        b"2" | b"12" | b"13" | b"15" => Cause::OriginError,
        _ => Cause::Unknown,
    })
}

/// Returns the status code that gRPC's "statuscodes" defines for a cause.
///
/// For other causes, gRPC's "http-grpc-status-mapping" maps the HTTP status: 502, 503 and 504 are
/// `UNAVAILABLE`.
#[must_use]
pub const fn grpc_code(cause: Cause) -> u16 {
    match cause {
        // CANCELLED: "the operation was cancelled".
        Cause::Cancelled => 1,
        // UNKNOWN: "do not return enough error information", and any status outside the mapping.
        Cause::OriginError | Cause::Unknown => 2,
        // DEADLINE_EXCEEDED: "even if the operation has completed successfully", so it does not
        // suggest a retry.
        Cause::HttpResponseTimeout
        | Cause::ConnectionReadTimeout
        | Cause::ConnectionWriteTimeout => 4,
        // PERMISSION_DENIED: the mapping of 403.
        Cause::HttpRequestDenied => 7,
        // RESOURCE_EXHAUSTED: "perhaps a per-user quota"; "server temporarily out of resources".
        Cause::RateLimited | Cause::ConnectionLimitReached => 8,
        // ABORTED: "typically due to a concurrency issue".
        Cause::Conflict => 10,
        // UNIMPLEMENTED: the mapping of 404, for a method without a known server.
        Cause::DestinationNotFound => 12,
        // INTERNAL: "something is very broken", so a retry would not help. Also the mapping of 400.
        Cause::HttpRequestError
        | Cause::ClientError
        | Cause::HttpResponseHeaderSectionSize
        | Cause::HttpResponseHeaderSize
        | Cause::HttpResponseBodySize
        | Cause::HttpResponseTrailerSectionSize
        | Cause::HttpResponseTrailerSize
        | Cause::HttpResponseTransferCoding
        | Cause::HttpResponseContentCoding
        | Cause::HttpUpgradeFailed
        | Cause::HttpProtocolError
        | Cause::ProxyInternalError
        | Cause::ProxyConfigurationError
        | Cause::ProxyLoopDetected => 13,
        // UNAVAILABLE: "most likely a transient condition".
        _ => 14,
    }
}
