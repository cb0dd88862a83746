//! Escaping of text from a peer, so that it is safe to print on one line of a terminal.

/// Returns `text` as one line of at most `max_chars` characters.
///
/// Escapes control and invisible characters, and replaces each run of white space with one space.
pub(crate) fn single_line(text: &str, max_chars: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.split_whitespace().collect::<Vec<_>>().join(" ").chars().enumerate() {
        if count == max_chars {
            out.push('…');
            break;
        }
        // Bidirectional controls, zero-width characters and tags can disguise text.
        let is_invisible = matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        if c.is_control() || is_invisible {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// The separator between the blocks of an HTML page.
const BLOCK_SEPARATOR: &str = " / ";

/// The tags that do not separate blocks of text.
const INLINE_TAGS: [&str; 12] =
    ["a", "abbr", "b", "code", "em", "font", "i", "small", "span", "strong", "tt", "u"];

/// Extracts the text of an HTML page, escaped as in [`single_line`]. Separates blocks with ` / `,
/// and omits a block that repeats the previous one, such as a heading that repeats the title.
pub(crate) fn html_text(text: &str, max_chars: usize) -> String {
    let mut blocks = vec![String::new()];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = skip_element(rest) {
            rest = after;
        } else if c == '<' {
            let (tag, after) = rest[1..].split_once('>').unwrap_or((&rest[1..], ""));
            if is_inline(tag) {
                push_to_last(&mut blocks, ' ');
            } else {
                blocks.push(String::new());
            }
            rest = after;
        } else {
            push_to_last(&mut blocks, c);
            rest = &rest[c.len_utf8()..];
        }
    }
    let mut blocks: Vec<_> = blocks.iter().map(|block| single_line(block, max_chars)).collect();
    blocks.retain(|block| !block.is_empty());
    blocks.dedup();
    single_line(&blocks.join(BLOCK_SEPARATOR), max_chars)
}

fn push_to_last(blocks: &mut [String], c: char) {
    if let Some(block) = blocks.last_mut() {
        block.push(c);
    }
}

/// Returns whether a start or end tag, without its angle brackets, is inline.
fn is_inline(tag: &str) -> bool {
    let name = tag.trim_start_matches('/');
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    INLINE_TAGS.iter().any(|inline| inline.eq_ignore_ascii_case(name))
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
    // Without an end tag, the element continues to the end of the text.
    Some(end.and_then(|at| text[at..].split_once('>')).map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::{html_text, single_line};

    #[test]
    fn single_line_escapes_control_characters() {
        let line = single_line("a\u{1b}[31mb\r\nc\u{9b}2J\0\u{202e}d", 100);
        assert_eq!(line, "a\\u{1b}[31mb c\\u{9b}2J\\u{0}\\u{202e}d");
    }

    #[test]
    fn single_line_truncates_long_text() {
        assert_eq!(single_line(&"x".repeat(1 << 20), 3), "xxx…");
        assert_eq!(single_line("xxx", 3), "xxx");
    }

    #[test]
    fn html_text_omits_tags_scripts_and_styles() {
        let html = "<html><title>502 Bad Gateway</title>\n<h1>502\u{fffd}</h1> 1 > 0";
        assert_eq!(html_text("<STYLE>a{b:c}</STYLE ><p>up<script>x()</script>", 100), "up");
        assert_eq!(html_text(html, 100), "502 Bad Gateway / 502\u{fffd} / 1 > 0");
    }

    #[test]
    fn html_text_separates_blocks_and_omits_repeated_title() {
        let html = "<title>404</title><center><h1>404</h1></center><hr>a <b>bold</b> text";
        assert_eq!(html_text(html, 100), "404 / a bold text");
    }
}
