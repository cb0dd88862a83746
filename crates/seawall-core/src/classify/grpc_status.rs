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
