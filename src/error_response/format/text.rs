//! The plain text format.

use crate::error_response::{messages, reply::ErrorReply};

pub(in crate::error_response) fn render(
    reply: &ErrorReply,
    server: &str,
    request_id: Option<&str>,
) -> String {
    let cause = reply.failure.cause();
    let mut text = format!(
        "{}\n\n{} {}\n{}\n\n{}; {cause}",
        messages::title(reply.status),
        messages::headline(reply.status),
        cause.description(),
        messages::retry_advice(reply),
        server,
    );
    for (name, value) in [("request", request_id), ("error", reply.text.as_deref())] {
        if let Some(value) = value {
            text.extend(["; ", name, " ", value]);
        }
    }
    text.push('\n');
    text
}
