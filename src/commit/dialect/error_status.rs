//! The HTTP status of an error that is reported in a body.

use http::{Response, StatusCode};
use seawall_core::{Failure, internal::classify_response};

use super::json::Json;

/// A status, and the words that stand for it in errors of a dialect.
pub(super) type Row = (u16, &'static [&'static str]);

/// Returns the failure of an error: by its number if it has one, and otherwise by the first word
/// that `table` knows.
///
/// The failure is that of a response with the status in its head, so all layers treat both alike.
pub(super) fn failure_of(error: &Json<'_>, members: &[&str], table: &[Row]) -> Failure {
    let values = || members.iter().filter_map(|name| error.get(name));
    let status = values()
        .find_map(number)
        .or_else(|| values().filter_map(Json::as_str).find_map(|word| find(table, word)));
    status.map_or_else(unknown, of_status)
}

/// Returns the failure of an error whose meaning is not known.
pub(super) fn unknown() -> Failure {
    of_status(StatusCode::INTERNAL_SERVER_ERROR.as_u16())
}

/// Returns a number of an error, or a number in a string, that is the status of a failure.
fn number(value: &Json<'_>) -> Option<u16> {
    let number = match value {
        Json::Number(number) => u16::try_from((*number)?).ok()?,
        Json::String(digits) => digits.parse().ok()?,
        _ => return None,
    };
    (400..600).contains(&number).then_some(number)
}

fn find(table: &[Row], word: &str) -> Option<u16> {
    table.iter().find(|(_, words)| words.contains(&word)).map(|(status, _)| *status)
}

fn of_status(status: u16) -> Failure {
    // The registered status of the same meaning, which is retried by default.
    let status = if status == 529 { 503 } else { status };
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    classify_response(&response)
}
