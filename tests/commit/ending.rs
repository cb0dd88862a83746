//! Streams that break off after the commit.

use http_body_util::BodyExt;
use seawall::commit::{CommitLayer, Dialect};

use crate::support::{Step, call, data, fed_body, outcome, response, stream};

const CONTENT: [(Dialect, &str, &str); 3] = [
    (
        Dialect::OpenAi,
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n",
        "data: {\"error\":{\"message\":",
    ),
    (
        Dialect::Anthropic,
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\"}\n\n",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",",
    ),
    (
        Dialect::Gemini,
        "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n",
        "data: {\"error\":{\"code\":502,",
    ),
];

/// Returns the data after `content`, and whether an error follows.
async fn read_to_error(
    mut body: seawall::commit::CommitBody<crate::support::FedBody>,
) -> (String, bool) {
    let mut text = String::new();
    while let Some(frame) = body.frame().await {
        if let Ok(frame) = frame {
            let data = frame.into_data().unwrap();
            text.push_str(std::str::from_utf8(&data).unwrap());
        } else {
            assert!(body.frame().await.is_none(), "the error is the last frame");
            return (text, true);
        }
    }
    (text, false)
}

#[tokio::test(start_paused = true)]
async fn broken_stream_ends_with_error_event_and_error() {
    for (dialect, content, event) in CONTENT {
        let (mut call, feed) = stream(&CommitLayer::new(dialect), [data(content)]);
        let body = outcome(&mut call).unwrap().into_body();
        feed.push(data(content));
        feed.push(Step::Error);
        let (text, has_error) = read_to_error(body).await;
        let rest = text.strip_prefix(&content.repeat(2)).unwrap();
        assert!(rest.starts_with(event), "{rest}");
        let json = rest.trim_end().rsplit_once("data: ").unwrap().1;
        assert!(serde_json::from_str::<serde_json::Value>(json).is_ok(), "{json}");
        assert!(rest.ends_with("\n\n") || rest.ends_with("\r\n\r\n"));
        assert!(has_error);

        // The judge recognizes its own event.
        let (mut call, _feed) = stream(&CommitLayer::new(dialect), [data(rest)]);
        assert!(outcome(&mut call).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn stream_that_breaks_off_inside_event_ends_with_error_alone() {
    for (dialect, content, _) in CONTENT {
        for cut in [1, 2, 10] {
            let (mut call, feed) = stream(&CommitLayer::new(dialect), [data(content)]);
            let body = outcome(&mut call).unwrap().into_body();
            let part = &content[..content.len() - cut];
            // A blank line that ends with CR LF is complete at its CR.
            if part.ends_with("\r\n\r") {
                continue;
            }
            feed.push(data(part));
            feed.push(Step::Error);
            assert_eq!(read_to_error(body).await, (format!("{content}{part}"), true));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn broken_stream_with_length_ends_with_error_alone() {
    for (dialect, content, _) in CONTENT {
        let (body, feed) = fed_body([data(content)]);
        let response = response("text/event-stream", body.sized(1000));
        let body = outcome(&mut call(&CommitLayer::new(dialect), response)).unwrap().into_body();
        feed.push(Step::Error);
        assert_eq!(read_to_error(body).await, (content.to_owned(), true));
    }
}

#[tokio::test(start_paused = true)]
async fn complete_stream_ends_without_error_event() {
    for (dialect, content, _) in CONTENT {
        let (mut call, feed) = stream(&CommitLayer::new(dialect), [data(content)]);
        let body = outcome(&mut call).unwrap().into_body();
        feed.push(Step::End);
        assert_eq!(read_to_error(body).await, (content.to_owned(), false));
    }
}
