//! Escaping of untrusted text.

use std::ops::RangeInclusive;

use super::{formatters::Written, *};

/// Characters that change the text direction, end a line, are invisible, or look like a space.
const HIDDEN: [RangeInclusive<char>; 26] = [
    '\0'..='\u{1f}',
    '\u{7f}'..='\u{a0}',
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{1680}'..='\u{1680}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{2000}'..='\u{200a}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{2029}',
    '\u{202a}'..='\u{202e}',
    '\u{202f}'..='\u{202f}',
    '\u{205f}'..='\u{205f}',
    '\u{2060}'..='\u{2064}',
    '\u{2066}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3000}'..='\u{3000}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff9}'..='\u{fffb}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e01ef}',
];

pub(super) fn is_hidden(c: char) -> bool {
    HIDDEN.iter().any(|range| range.contains(&c))
}

/// Returns the logged form of an error text.
async fn logged(text: String) -> String {
    let line = log(LoggingLayer::client(), Action::Fail(text.into())).await;
    line.get("error.message").unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn log_escapes_invisible_and_directional_characters() {
    for c in HIDDEN.into_iter().flatten() {
        assert_eq!(logged(format!("a{c}b")).await, format!("a{}b", c.escape_unicode()));
    }
}

#[tokio::test(start_paused = true)]
async fn log_keeps_visible_characters() {
    let text = "a b~ \u{a1}ä€ שלום عربي हिन्दी 日本語 🙂 \u{fffd}";
    assert_eq!(logged(text.to_owned()).await, text);
}

/// These characters resemble the space that separates fields.
#[tokio::test(start_paused = true)]
async fn path_cannot_imitate_another_field() {
    for space in ['\u{a0}', '\u{2003}', '\u{3000}', '\u{2800}'] {
        for layer in [LoggingLayer::client(), LoggingLayer::server()] {
            let written = Written::default();
            let fmt = tracing_subscriber::fmt().with_writer(written.clone()).with_ansi(false);
            let _guard = crate::log_capture::set_subscriber(fmt.finish());
            let uri = Bytes::from(format!("http://h/a{space}seawall.outcome=complete"));
            let mut request = get("/");
            *request.uri_mut() = http::Uri::from_maybe_shared(uri).unwrap();
            drop(layer.layer(Script::new([answer(502)])).oneshot(request).await);
            let text = written.text();
            let escaped = format!("/a{}seawall.outcome=complete", space.escape_unicode());
            assert!(!text.contains(space) && text.contains(&escaped), "{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn log_truncates_path_and_query_by_escaped_length() {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let hidden = "\u{ad}".repeat(4_000);
    let uri = Bytes::from(format!("http://h/{hidden}?{hidden}"));
    let mut request = get("/");
    *request.uri_mut() = http::Uri::from_maybe_shared(uri).unwrap();
    drop(LoggingLayer::client().layer(Script::new([answer(502)])).oneshot(request).await);
    let (path, query) = (r"\u{ad}".repeat(2_047), r"\u{ad}".repeat(2_048));
    let expected = format!("http://h/{path}…?{query}…");
    assert_eq!(recorder.line().get("url.full"), Some(&*expected));
}
