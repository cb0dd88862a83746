//! Sentences for the person who reads an error response.

use http::StatusCode;
use seawall_core::Processed;

use super::reply::ErrorReply;

/// Returns a title such as `502 Bad Gateway`.
pub(super) fn title(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    format!("{} {reason}", status.as_u16()).trim_end().to_owned()
}

/// Returns a one-sentence summary of the failure.
pub(super) const fn headline(status: StatusCode) -> &'static str {
    match status.as_u16() {
        403 => "This request is not allowed.",
        429 => "Too many requests were sent.",
        400..=499 => "This request cannot be processed.",
        500 => "Something went wrong on this server.",
        503 => "This service is currently unavailable.",
        504 => "The upstream server took too long to respond.",
        _ => "The upstream server did not send a valid response.",
    }
}

/// Returns advice on when to retry, and on whether a retry is safe.
pub(super) fn retry_advice(reply: &ErrorReply) -> String {
    let timing = match (reply.retry_after_secs(), reply.status.as_u16()) {
        (Some(0), _) => "Please try again now.".to_owned(),
        (Some(seconds), _) => format!("Please try again in {}.", format_seconds(seconds)),
        // Every 4xx except 408 and 429, which are temporary.
        (None, 400..=407 | 409..=428 | 430..=499) => {
            return "Sending the same request again will not help.".to_owned();
        }
        (None, _) => "Please try again in a moment.".to_owned(),
    };
    let safety = match reply.failure.processed() {
        Processed::No => "Your request was not processed, so it is safe to send it again.",
        _ => "If you were submitting data, such as an order, first check whether it was received.",
    };
    format!("{timing} {safety}")
}

/// Formats a duration, rounded up, in the largest unit that gives 2 or more.
fn format_seconds(seconds: u64) -> String {
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    match units.into_iter().find(|&(unit, _)| seconds >= 2 * unit) {
        Some((unit, name)) => format!("{} {name}", seconds.div_ceil(unit)),
        None if seconds == 1 => "1 second".to_owned(),
        None => format!("{seconds} seconds"),
    }
}
