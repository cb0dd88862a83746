//! The HTML format: the template `page.html` with its placeholders replaced.

use crate::error_response::{messages, reply::ErrorReply};

const TEMPLATE: &str = include_str!("page.html");

/// Forbids the page to load, run or send anything. Only its own style is allowed, by its hash.
pub(in crate::error_response) const CONTENT_SECURITY_POLICY_VALUE: &str = "default-src 'none'; \
    base-uri 'none'; form-action 'none'; \
    style-src 'sha256-LZaUe0XW4dn/+5ZHBvTLr3UnsUUsmTH9/78JpYKphBk='";

/// Renders the template in one pass, so that placeholders inside values are not replaced.
pub(in crate::error_response) fn render(
    reply: &ErrorReply,
    server: &str,
    request_id: Option<&str>,
) -> String {
    let mut page = String::with_capacity(TEMPLATE.len() + 1_024);
    let mut segments = TEMPLATE.split("{{");
    page.push_str(segments.next().unwrap_or_default());
    for segment in segments {
        let (key, rest) = segment.split_once("}}").unwrap_or_default();
        push_value(&mut page, key, reply, server, request_id);
        page.push_str(rest);
    }
    page
}

/// Appends the value of a placeholder.
fn push_value(
    page: &mut String,
    key: &str,
    reply: &ErrorReply,
    server: &str,
    request_id: Option<&str>,
) {
    let cause = reply.failure.cause();
    match key {
        "title" => push_escaped(page, &messages::title(reply.status)),
        "headline" => push_escaped(page, messages::headline(reply.status)),
        "description" => push_escaped(page, cause.description()),
        "retry_advice" => push_escaped(page, &messages::retry_advice(reply)),
        "advice" => push_escaped(page, reply.failure.advice()),
        "checks" => cause.checks().iter().for_each(|check| push_check(page, check)),
        "error" => push_escaped(page, reply.text.as_deref().unwrap_or_default()),
        "server" => push_escaped(page, server),
        "cause" => push_escaped(page, cause.as_str()),
        "request" => push_escaped(page, request_id.unwrap_or_default()),
        _ => {}
    }
}

/// Appends a check as a list item. Text between backticks is a command.
fn push_check(page: &mut String, check: &str) {
    page.push_str("<li>");
    for (index, part) in check.split('`').enumerate() {
        let (open, close) = if index % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
        page.push_str(open);
        push_escaped(page, part);
        page.push_str(close);
    }
}

/// Appends text, escaped for element content and quoted attribute values.
fn push_escaped(page: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            // HTML cannot represent NUL.
            '\0' => page.push('\u{fffd}'),
            c => page.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn push_escaped_replaces_html_special_characters() {
        let mut page = String::new();
        push_escaped(&mut page, "<a href=\"x\" b='y'>&amp;\0\u{e4}");
        let expected = "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;\u{fffd}\u{e4}";
        assert_eq!(page, expected);
    }
}
