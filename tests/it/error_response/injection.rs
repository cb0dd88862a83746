//! Text of a request, an error or a name cannot inject syntax into a response.

use std::{error::Error, fmt};

use http::{HeaderValue, Method, Request, Response};
use proptest::{collection::vec, prelude::*, sample::select};
use seawall::{Cause, Failure, error_response::ErrorResponseLayer};

use super::{Body, block_on, request, respond_with, text};

/// Texts with the syntax of one of the formats.
const HOSTILE_TEXTS: [&str; 9] = [
    "a\r\nset-cookie: b=c\r\n\r\n<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'; drop table requests; --",
    "\0\u{1}\u{7f}\u{1b}[31m",
    "\\\"\\",
    "</pre></style></title>{{error}}{{title}}",
    "\u{202e}\u{2028}\u{feff}",
    "%0d%0a%",
    "]]>&lt;&#60;",
];

/// An error with the given message and cause.
#[derive(Debug)]
struct TextError(String, Failure);

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for TextError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.1)
    }
}

struct Input<'a> {
    name: &'a str,
    error: &'a str,
    cause: Cause,
    accept: &'a [u8],
    id: &'a [u8],
}

impl Input<'_> {
    async fn respond(&self, format: &str) -> Response<String> {
        let mut request: Request<Body> = request(Method::POST);
        let headers = request.headers_mut();
        for (name, value) in
            [("accept", format.as_bytes()), ("accept", self.accept), ("x-request-id", self.id)]
        {
            // A request cannot contain an invalid header value.
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(name, value);
            }
        }
        if format == GRPC {
            headers.insert("content-type", HeaderValue::from_static(GRPC));
        }
        let error = TextError(self.error.to_owned(), Failure::new(self.cause));
        let layer = ErrorResponseLayer::new(self.name).include_error_text(true);
        let (head, body) = respond_with(layer, request, error).await.into_parts();
        assert!(head.headers.values().all(|value| value.to_str().is_ok()), "{head:?}");
        Response::from_parts(head, text(Response::new(body)).await)
    }

    /// Parses the response in each format and asserts that it has no injected syntax.
    async fn assert_no_injection(&self) {
        for format in
            ["text/html, */*;q=0", "text/plain, */*;q=0", "application/json, */*;q=0", GRPC]
        {
            let response = self.respond(format).await;
            assert_one_member(&response, self.cause);
            // The format also depends on the second `Accept` header.
            match response.headers()["content-type"].to_str().unwrap() {
                "application/problem+json" => assert_problem_document(&response),
                "text/html; charset=utf-8" => {
                    let harmless = Input { name: "x", error: "x", accept: b"", id: b"x", ..*self };
                    let harmless = harmless.respond("text/html").await;
                    assert_eq!(tags(response.body()), tags(harmless.body()), "{response:?}");
                }
                "text/plain; charset=utf-8" => assert!(response.body().lines().count() == 6),
                GRPC => assert_grpc_message(&response),
                other => panic!("unexpected content type {other}"),
            }
            assert!(response.body().len() < 8_192);
        }
    }
}

const GRPC: &str = "application/grpc";

fn assert_one_member(response: &Response<String>, cause: Cause) {
    let header = response.headers()["proxy-status"].to_str().unwrap();
    let list: sfv::List = sfv::Parser::new(header).parse().unwrap();
    let [sfv::ListEntry::Item(item)] = list.as_slice() else { panic!("{header}") };
    let names: Vec<_> = item.params.keys().map(|key| key.as_str()).collect();
    assert!(names.iter().all(|name| ["error", "details"].contains(name)), "{header}");
    let error = item.params.get("error").and_then(sfv::BareItem::as_token);
    assert_eq!(error.map(sfv::TokenRef::as_str), Some(cause.as_str()), "{header}");
    if let Some(details) = item.params.get("details") {
        assert!(details.as_string().unwrap().as_str().len() <= 512);
    }
}

fn assert_problem_document(response: &Response<String>) {
    let problem: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    let allowed = ["type", "title", "status", "detail", "cause", "request_id", "error"];
    let problem = problem.as_object().unwrap();
    assert!(problem.keys().all(|key| allowed.contains(&&**key)), "{problem:?}");
    assert!(problem["error"].as_str().unwrap().chars().count() <= 512);
    if let Some(id) = problem.get("request_id") {
        let id = id.as_str().unwrap();
        assert!(id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
    }
}

/// Asserts that the message is `Percent-Encoded`, as gRPC over HTTP/2 defines it.
fn assert_grpc_message(response: &Response<String>) {
    let message = response.headers()["grpc-message"].to_str().unwrap();
    let mut bytes = message.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next(), bytes.next()];
            assert!(
                digits.iter().all(|it| it.is_some_and(|it| it.is_ascii_hexdigit())),
                "{message}"
            );
        }
    }
    assert_eq!(response.body(), "");
}

/// Returns the tags of `page`, in order.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|rest| rest.split_once('>').expect("a closing `>`").0).collect()
}

#[tokio::test]
async fn layer_escapes_hostile_texts() {
    for text in HOSTILE_TEXTS {
        let bytes = text.as_bytes();
        let cause = Cause::ConnectionRefused;
        Input { name: text, error: text, cause, accept: bytes, id: bytes }
            .assert_no_injection()
            .await;
    }
}

#[tokio::test]
async fn layer_escapes_values_of_64_kib_and_invalid_utf_8() {
    let long = "<script>\"\r\n".repeat(6_554);
    let bytes = [b"<script>;q=\"".repeat(5_462), vec![b'a'; 65_536], vec![0xff; 65_536]];
    for bytes in &bytes {
        let cause = Cause::HttpResponseTimeout;
        let input = Input { name: &long, error: &long, cause, accept: bytes, id: bytes };
        input.assert_no_injection().await;
        let body = input.respond("application/json").await.into_body();
        assert!(!body.contains("request_id"), "{body}");
    }
}

#[tokio::test]
async fn layer_echoes_only_valid_request_id() {
    let echoed_id = async |id: &[u8]| {
        let cause = Cause::DnsError;
        let input = Input { name: "edge", error: "x", cause, accept: b"", id };
        let problem = input.respond("application/json").await.into_body();
        let problem: serde_json::Value = serde_json::from_str(&problem).unwrap();
        problem.get("request_id").map(|id| id.as_str().unwrap().to_owned())
    };
    for id in ["0f9c2b7e-51aa", "<script>", "\"", &"x".repeat(128)] {
        assert_eq!(echoed_id(id.as_bytes()).await.as_deref(), Some(id));
    }
    for id in [&b""[..], b"two words", b"tab\there", b"caf\xc3\xa9", b"\xff", &[b'x'; 129]] {
        assert_eq!(echoed_id(id).await, None, "{}", id.escape_ascii());
    }
}

/// The text of an error is disclosed only when enabled.
#[tokio::test]
async fn layer_discloses_error_text_in_no_format() {
    for accept in ["text/html", "text/plain", "application/json", GRPC] {
        let mut request = request(Method::POST);
        for name in ["accept", "content-type"] {
            request.headers_mut().insert(name, HeaderValue::from_static(accept));
        }
        let error = TextError("hunter2 at 10.0.0.1".into(), Failure::new(Cause::DnsError));
        let response = respond_with(ErrorResponseLayer::new("edge"), request, error).await;
        let head_and_body = format!("{:?}", response.headers()) + &text(response).await;
        assert!(
            !head_and_body.contains("hunter2") && !head_and_body.contains("10.0.0.1"),
            "{head_and_body}"
        );
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let hostile = select(&HOSTILE_TEXTS[..]).prop_map(str::to_owned);
    vec(prop_oneof![any::<String>(), hostile], 0..4).prop_map(|parts| parts.concat())
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let ranges =
        select(&["text/html", "*/*", ";q=", "0.5", ",", "\"", "\\", " ", ";charset=utf-8"][..]);
    let ranges = vec(ranges, 0..12).prop_map(|parts| parts.concat().into_bytes());
    prop_oneof![vec(any::<u8>(), 0..200), vec(32u8..127, 0..200), ranges]
}

proptest! {
    #[test]
    fn arbitrary_text_injects_no_syntax_into_response(
        name in any_text(),
        error in any_text(),
        // The registered causes, whose names `Proxy-Status` sends unchanged.
        cause in select(&Cause::ALL[..32]),
        accept in any_bytes(),
        id in any_bytes(),
    ) {
        let input = Input { name: &name, error: &error, cause, accept: &accept, id: &id };
        block_on(input.assert_no_injection());
    }
}
