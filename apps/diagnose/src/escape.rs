//! Escaping of text from a peer, so that it is safe to print on one line of a terminal.

/// Puts `text` on one line of at most `max_chars` characters: escapes control and bidirectional characters, and replaces
/// each run of white space with one space.
pub(crate) fn single_line(text: &str, max_chars: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.split_whitespace().collect::<Vec<_>>().join(" ").chars().enumerate() {
        if count == max_chars {
            out.push('…');
            break;
        }
        // Bidirectional controls, zero-width characters and tags are invisible and can disguise text.
        let is_invisible = matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        if c.is_control() || is_invisible {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Extracts the text of an HTML page, escaped as in [`single_line`].
pub(crate) fn html_text(bytes: &[u8], max_chars: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::new();
    let mut in_tag = false;
    let mut rest = &*text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = skip_element(rest) {
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '<' => {
                in_tag = true;
                plain.push(' ');
            }
            '>' if in_tag => in_tag = false,
            c if !in_tag => plain.push(c),
            _ => {}
        }
    }
    single_line(&plain, max_chars)
}

/// Returns the text after a `style` or `script` element, if `text` starts with one.
fn skip_element(text: &str) -> Option<&str> {
    let name = ["style", "script"].into_iter().find(|name| {
        text.starts_with('<')
            && text.get(1..=name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name))
    })?;
    let is_end = |at: usize| {
        text[at + 2..].get(..name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name))
    };
    let end = text.match_indices("</").map(|(at, _)| at).find(|&at| is_end(at));
    // Without an end tag, the element extends to the end of the text.
    Some(end.and_then(|at| text[at..].split_once('>')).map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::{html_text, single_line};

    #[test]
    fn control_characters_are_escaped() {
        let shown = single_line("a\u{1b}[31mb\r\nc\u{9b}2J\0\u{202e}d", 100);
        assert_eq!(shown, "a\\u{1b}[31mb c\\u{9b}2J\\u{0}\\u{202e}d");
    }

    #[test]
    fn long_text_is_truncated() {
        assert_eq!(single_line(&"x".repeat(1 << 20), 3), "xxx…");
        assert_eq!(single_line("xxx", 3), "xxx");
    }

    #[test]
    fn html_text_omits_tags_scripts_and_styles() {
        let html = b"<html><title>502 Bad Gateway</title>\n<h1>502\xff</h1> 1 > 0";
        assert_eq!(html_text(b"<STYLE>a{b:c}</STYLE ><p>up<script>x()</script>", 100), "up");
        assert_eq!(html_text(html, 100), "502 Bad Gateway 502\u{fffd} 1 > 0");
    }
}
