//! What of a query is taken for a secret.

use futures_util::FutureExt;

use super::*;

/// The query as it is logged.
fn logged(query: &str) -> String {
    let (recorder, _guard) = Recorder::start(LevelFilter::TRACE);
    let service = LoggingLayer::client().layer(Script::new([answer(502)]));
    service.oneshot(get(&format!("http://h/?{query}"))).now_or_never().unwrap().unwrap();
    let line = recorder.line();
    line.get("url.full").unwrap().strip_prefix("http://h/?").unwrap().to_owned()
}

#[test]
fn a_key_begins_wherever_a_query_or_a_part_of_one_may() {
    for (query, expected) in [
        ("a=1&code=SECRET", "a=1&code=REDACTED"),
        ("a=1;code=SECRET", "a=1;code=REDACTED"),
        ("to=/back?code=SECRET", "to=/back?code=REDACTED"),
        ("to=/back%23code=SECRET", "to=/back%23code=REDACTED"),
        ("to=%2Fback%3Fcode%3DSECRET%26a%3D1", "to=%2Fback%3Fcode%3DREDACTED%26a%3D1"),
    ] {
        assert_eq!(logged(query), expected);
    }
}

#[test]
fn a_url_within_a_url_is_looked_into_however_often_it_is_encoded() {
    let mut query = "%3Fcode%3DSECRET%26a%3D1".to_owned();
    for _ in 0..5 {
        assert_eq!(
            logged(&format!("to={query}")),
            format!("to={}", query.replace("SECRET", "REDACTED"))
        );
        query = query.replace('%', "%25");
    }
}
