//! JSON in a response with the status 200.

use std::task::Poll;

use seawall::commit::{CommitLayer, Dialect};

use crate::support::{
    Call, Step, call, data, failed_before_commit, failure, fed_body, outcome, read, response,
};

const DIALECTS: [Dialect; 3] = [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini];

fn json_call(dialect: Dialect, frames: impl IntoIterator<Item = Step>) -> Call {
    let (body, _feed) = fed_body(frames);
    call(&CommitLayer::new(dialect), response("application/json; charset=utf-8", body))
}

fn complete(text: &str, frame_len: usize) -> impl Iterator<Item = Step> {
    text.as_bytes().chunks(frame_len).map(data).chain([Step::End])
}

#[tokio::test(start_paused = true)]
async fn layer_fails_json_error_in_any_chunks() {
    for (dialect, text, expected) in [
        (
            Dialect::OpenAi,
            r#"{"error":{"message":"x","type":"server_error","code":null}}"#,
            "origin_error",
        ),
        (
            Dialect::OpenAi,
            r#" { "error" : {"code": 429, "message": "x"}, "user_id": "u" }"#,
            "rate_limited",
        ),
        (
            Dialect::OpenAi,
            r#"{"object":"error","message":"x","type":"NotFoundError","code":404}"#,
            "client_error",
        ),
        (Dialect::OpenAi, r#"{"error":"model runner has stopped"}"#, "origin_error"),
        (
            Dialect::Anthropic,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"x"},"request_id":"r"}"#,
            "overloaded",
        ),
        (
            Dialect::Anthropic,
            "{\n \"type\" : \"error\",\n \"error\": {\"type\": \"api_error\"}}",
            "origin_error",
        ),
        (
            Dialect::Gemini,
            r#"{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}"#,
            "overloaded",
        ),
        (
            Dialect::Gemini,
            "[{\n  \"error\": {\"code\": 429, \"status\": \"RESOURCE_EXHAUSTED\"}}\n]",
            "rate_limited",
        ),
    ] {
        for frame_len in [1, 7, text.len()] {
            let error = outcome(&mut json_call(dialect, complete(text, frame_len))).unwrap_err();
            assert_eq!(failure(&error).cause().as_str(), expected, "{text} by {frame_len}");
            assert_eq!(failed_before_commit(&error).reported_error(), Some(text));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn layer_commits_json_answer_in_any_chunks() {
    for text in [
        r#"{"id":"chatcmpl-1","object":"chat.completion","choices":[{"message":{"content":"error"}}]}"#,
        r#"{"id":"resp_1","object":"response","status":"failed","error":{"code":"server_error"}}"#,
        r#"{"type":"message","content":[{"type":"text","text":"error"}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"error"}]}}]}"#,
        r#"[{"candidates":[]}]"#,
        r#"{"error":null,"choices":[]}"#,
        r#"{"error":{},"choices":[]}"#,
        r#"{"error":"#,
        r#"{"error"x"#,
        r#"{"errors":[1]}"#,
        r#"{"a_very_long_first_member_name":1}"#,
        r#"{"type":1}"#,
        r#"{"type":"error""#,
        "{}",
        "{",
        "[]",
        r#"["error"]"#,
        r#""error""#,
        "",
        "  ",
        "null",
        "error",
        "\u{fffd}",
    ] {
        for dialect in DIALECTS {
            for frame_len in [1, 7, text.len().max(1)] {
                let mut call = json_call(dialect, complete(text, frame_len));
                let response = outcome(&mut call).unwrap();
                assert_eq!(read(response).await, text, "by {frame_len}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn layer_commits_json_answer_at_its_first_member() {
    for dialect in DIALECTS {
        let mut call = json_call(dialect, [data(r#"{"id":"#)]);
        assert!(matches!(call.poll(), Poll::Ready(Ok(_))));
        let mut call = json_call(dialect, [data(r#"{"err"#)]);
        assert!(call.poll().is_pending());
    }
}

#[tokio::test(start_paused = true)]
async fn layer_fails_json_that_breaks_off_before_its_first_byte() {
    let error = outcome(&mut json_call(Dialect::OpenAi, [Step::Error])).unwrap_err();
    assert_eq!(failure(&error).cause(), seawall::Cause::HttpResponseIncomplete);
}
