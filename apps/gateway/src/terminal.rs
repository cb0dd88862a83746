//! The width of the terminal, and text that fits into it.

use std::env;

/// The width below which a text is not wrapped further.
const MIN_WIDTH: usize = 20;

/// Returns the number of columns: `COLUMNS`, or that of the terminal, if there is one.
pub(crate) fn width() -> Option<usize> {
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let of_terminal = || console::Term::stdout().size_checked().map(|(_, width)| width.into());
    columns.filter(|columns| *columns > 0).or_else(of_terminal)
}

/// Wraps a text to the width of the terminal, if there is one.
pub(crate) fn fit(text: String) -> String {
    match width() {
        Some(width) => wrap(&text, width),
        None => text,
    }
}

/// Breaks lines at spaces, so that they fit. Continued lines are indented by two columns.
///
/// A word that does not fit into a line has one of its own, which the terminal breaks.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    let mut out = String::new();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let mut column = 0;
        for (index, word) in line.split(' ').enumerate() {
            let chars = word.chars().count();
            if index > 0 && column + 1 + chars > width {
                out.push_str("\n  ");
                column = 2;
            } else if index > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += chars;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_spaces() {
        let text = "service /openai (openai): https://api.openai.com key OPENAI_API_KEY\nlast";
        let wrapped = wrap(text, 40);
        assert_eq!(
            wrapped,
            "service /openai (openai):\n  https://api.openai.com key\n  OPENAI_API_KEY\nlast"
        );
        assert_eq!(wrap(text, 200), text);
        assert_eq!(
            wrap("a very-long-word-that-does-not-fit b", 1),
            "a\n  very-long-word-that-does-not-fit\n  b"
        );
    }
}
