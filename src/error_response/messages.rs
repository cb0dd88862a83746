//! Sentences for the visitor of a failed page.

use http::StatusCode;
use seawall_core::Processed;

use super::reply::ErrorReply;

/// Returns a title such as `502 Bad Gateway`.
pub(super) fn title(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    format!("{} {reason}", status.as_u16()).trim_end().to_owned()
}

pub(super) const fn headline(status: StatusCode) -> &'static str {
    match status.as_u16() {
        403 => "This request is not allowed.",
        429 => "There were too many requests.",
        400..=499 => "This request could not be served.",
        500 => "Something went wrong on this server.",
        503 => "This service is not available right now.",
        504 => "The server behind this one took too long.",
        _ => "The server behind this one gave no valid answer.",
    }
}

/// Returns when to try again, and whether that may do harm.
pub(super) fn retry_advice(reply: &ErrorReply) -> String {
    let again = match (reply.retry_after_secs(), reply.status.as_u16()) {
        (Some(0), _) => "Please try again now.".to_owned(),
        (Some(seconds), _) => format!("Please try again in {}.", span(seconds)),
        // Not 408 and 429, which are temporary.
        (None, 400..=407 | 409..=428 | 430..=499) => {
            return "Sending it again as it is will not help.".to_owned();
        }
        (None, _) => "Please try again in a moment.".to_owned(),
    };
    let harm = match reply.failure.processed() {
        Processed::No => "Nothing was done with your request, so that does no harm.",
        _ => "If you were sending something, such as an order, check first whether it has arrived.",
    };
    format!("{again} {harm}")
}

/// Formats a time, rounded up, in the largest unit of which there are two or more.
fn span(seconds: u64) -> String {
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    match units.into_iter().find(|&(unit, _)| seconds >= 2 * unit) {
        Some((unit, name)) => format!("{} {name}", seconds.div_ceil(unit)),
        None if seconds == 1 => "1 second".to_owned(),
        None => format!("{seconds} seconds"),
    }
}
