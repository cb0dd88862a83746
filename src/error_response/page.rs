//! The answer as a page for a person: `page.html`, filled in.

use super::{answer::Answer, settings::Settings, words};

const TEMPLATE: &str = include_str!("page.html");

/// Nothing may be loaded, run or sent from the page; the one style is named by its hash.
pub(super) const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    style-src 'sha256-LZaUe0XW4dn/+5ZHBvTLr3UnsUUsmTH9/78JpYKphBk='";

/// Fills the template in, in one pass: what is put in is not looked into again.
pub(super) fn page(answer: &Answer, settings: &Settings, request_id: Option<&str>) -> String {
    let mut page = String::with_capacity(TEMPLATE.len() + 1_024);
    let mut pieces = TEMPLATE.split("{{");
    page.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (key, rest) = piece.split_once("}}").unwrap_or_default();
        fill(&mut page, key, answer, settings, request_id);
        page.push_str(rest);
    }
    page
}

fn fill(
    page: &mut String,
    key: &str,
    answer: &Answer,
    settings: &Settings,
    request_id: Option<&str>,
) {
    let cause = answer.failure().cause();
    match key {
        "title" => escape(page, &words::title(answer.status())),
        "headline" => escape(page, words::headline(answer.status())),
        "description" => escape(page, cause.description()),
        "try" => escape(page, &words::what_to_try(answer)),
        "advice" => escape(page, cause.advice()),
        "checks" => cause.checks().iter().for_each(|check| item(page, check)),
        "error" => escape(page, answer.text().unwrap_or_default()),
        "server" => escape(page, settings.name()),
        "cause" => escape(page, cause.as_str()),
        "request" => escape(page, request_id.unwrap_or_default()),
        _ => {}
    }
}

/// One check; what stands between backticks is a command.
fn item(page: &mut String, check: &str) {
    page.push_str("<li>");
    for (at, part) in check.split('`').enumerate() {
        let (before, after) = if at % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
        page.push_str(before);
        escape(page, part);
        page.push_str(after);
    }
}

/// As text, between tags and in quoted attributes alike.
fn escape(page: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            // HTML has no way to write this one.
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
