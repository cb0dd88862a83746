//! What of a text from elsewhere is written as an escape.

use super::*;

/// Those that turn the direction of what follows, or end a line.
pub(super) const TURNS: [char; 14] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{202a}', '\u{202b}', '\u{202c}',
    '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// The text of an error, as it is logged.
async fn logged(text: String) -> String {
    let line = log(LoggingLayer::client(), Act::Fail(text.into())).await;
    line.get("error.message").unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn no_character_turns_the_direction_of_what_follows() {
    for c in TURNS {
        assert_eq!(logged(format!("a{c}b")).await, format!("a{}b", c.escape_unicode()));
    }
}
