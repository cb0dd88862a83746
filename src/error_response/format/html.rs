//! The response as a page for people: `page.html`, filled in.

use crate::error_response::{messages, reply::ErrorReply};

const TEMPLATE: &str = include_str!("page.html");

/// The page may load, run and send nothing. Its only style is allowed by its hash.
pub(in crate::error_response) const CONTENT_SECURITY_POLICY_VALUE: &str = "default-src 'none'; base-uri 'none'; \
    form-action 'none'; style-src 'sha256-LZaUe0XW4dn/+5ZHBvTLr3UnsUUsmTH9/78JpYKphBk='";

/// Fills in the template in one pass, so that values are not searched for placeholders.
pub(in crate::error_response) fn page(
    reply: &ErrorReply,
    server: &str,
    request_id: Option<&str>,
) -> String {
    let mut page = String::with_capacity(TEMPLATE.len() + 1_024);
    let mut pieces = TEMPLATE.split("{{");
    page.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (key, rest) = piece.split_once("}}").unwrap_or_default();
        fill(&mut page, key, reply, server, request_id);
        page.push_str(rest);
    }
    page
}

fn fill(page: &mut String, key: &str, reply: &ErrorReply, server: &str, request_id: Option<&str>) {
    let cause = reply.failure.cause();
    match key {
        "title" => escape(page, &messages::title(reply.status)),
        "headline" => escape(page, messages::headline(reply.status)),
        "description" => escape(page, cause.description()),
        "try" => escape(page, &messages::retry_advice(reply)),
        "advice" => escape(page, cause.advice()),
        "checks" => cause.checks().iter().for_each(|check| item(page, check)),
        "error" => escape(page, reply.text.as_deref().unwrap_or_default()),
        "server" => escape(page, server),
        "cause" => escape(page, cause.as_str()),
        "request" => escape(page, request_id.unwrap_or_default()),
        _ => {}
    }
}

/// Appends one check. Text between backticks is a command.
fn item(page: &mut String, check: &str) {
    page.push_str("<li>");
    for (at, part) in check.split('`').enumerate() {
        let (before, after) = if at % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
        page.push_str(before);
        escape(page, part);
        page.push_str(after);
    }
}

/// Appends text, escaped for elements and for quoted attributes.
fn escape(page: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            // HTML cannot represent it.
            '\0' => page.push('\u{fffd}'),
            c => page.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_means_something_in_html_is_escaped() {
        let mut page = String::new();
        escape(&mut page, "<a href=\"x\" b='y'>&amp;\0\u{e4}");
        let expected = "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;\u{fffd}\u{e4}";
        assert_eq!(page, expected);
    }
}
