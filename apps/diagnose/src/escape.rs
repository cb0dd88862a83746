//! Texts from a peer, made fit for a terminal and a line.

/// A text from elsewhere in one line: control characters and those that turn the direction of writing escaped, white
/// space made one space, and cut at `longest` characters.
pub(crate) fn line(text: &str, longest: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.split_whitespace().collect::<Vec<_>>().join(" ").chars().enumerate() {
        if count == longest {
            out.push('…');
            break;
        }
        // The bidirectional controls, zero-width characters and tags: none is seen, each can mislead.
        let unseen = matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        if c.is_control() || unseen {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// What a page says, without its tags.
pub(crate) fn page(bytes: &[u8], longest: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::new();
    let mut in_tag = false;
    let mut rest = &*text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = unread(rest) {
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
    line(&plain, longest)
}

/// What follows an element whose content is no text for a person.
fn unread(text: &str) -> Option<&str> {
    let name = ["style", "script"].into_iter().find(|name| {
        text.starts_with('<')
            && text.get(1..=name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name))
    })?;
    let is_end = |at: usize| {
        text[at + 2..].get(..name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name))
    };
    let end = text.match_indices("</").map(|(at, _)| at).find(|&at| is_end(at));
    // Without an end, all of what was kept is in it.
    Some(end.and_then(|at| text[at..].split_once('>')).map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::{line, page};

    #[test]
    fn nothing_speaks_to_the_terminal() {
        let shown = line("a\u{1b}[31mb\r\nc\u{9b}2J\0\u{202e}d", 100);
        assert_eq!(shown, "a\\u{1b}[31mb c\\u{9b}2J\\u{0}\\u{202e}d");
    }

    #[test]
    fn what_is_long_is_cut() {
        assert_eq!(line(&"x".repeat(1 << 20), 3), "xxx…");
        assert_eq!(line("xxx", 3), "xxx");
    }

    #[test]
    fn a_page_is_read_without_its_tags() {
        let html = b"<html><title>502 Bad Gateway</title>\n<h1>502\xff</h1> 1 > 0";
        assert_eq!(page(b"<STYLE>a{b:c}</STYLE ><p>up<script>x()</script>", 100), "up");
        assert_eq!(page(html, 100), "502 Bad Gateway 502\u{fffd} 1 > 0");
    }
}
