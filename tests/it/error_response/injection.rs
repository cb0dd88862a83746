//! Text of a request, an error or a name cannot break out of the response.

use std::{error::Error, fmt};

use http::{HeaderValue, Method, Request, Response};
use proptest::{collection::vec, prelude::*, sample::select};
use seawall::{Cause, Failure, error_response::ErrorResponseLayer};

use super::{Body, ask, block_on, request, text};

/// Texts that are syntax in some format.
const NASTY: [&str; 9] = [
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

/// An error with this text and a known cause.
#[derive(Debug)]
struct Says(String, Failure);

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Says {
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
    async fn answer(&self, format: &str) -> Response<String> {
        let mut request: Request<Body> = request(Method::POST);
        let headers = request.headers_mut();
        for (name, value) in
            [("accept", format.as_bytes()), ("accept", self.accept), ("x-request-id", self.id)]
        {
            // What cannot be a header's value cannot come in one.
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(name, value);
            }
        }
        if format == GRPC {
            headers.insert("content-type", HeaderValue::from_static(GRPC));
        }
        let error = Says(self.error.to_owned(), Failure::new(self.cause));
        let layer = ErrorResponseLayer::new(self.name).include_error_text(true);
        let (head, body) = ask(layer, request, error).await.into_parts();
        assert!(head.headers.values().all(|value| value.to_str().is_ok()), "{head:?}");
        Response::from_parts(head, text(Response::new(body)).await)
    }

    /// Reads again what was written.
    async fn is_answered_soundly(&self) {
        for format in
            ["text/html, */*;q=0", "text/plain, */*;q=0", "application/json, */*;q=0", GRPC]
        {
            let answer = self.answer(format).await;
            is_one_member(&answer, self.cause);
            // Which it is, depends on the other line of Accept too.
            match answer.headers()["content-type"].to_str().unwrap() {
                "application/problem+json" => is_a_problem(&answer),
                "text/html; charset=utf-8" => {
                    let harmless = Input { name: "x", error: "x", accept: b"", id: b"x", ..*self };
                    let harmless = harmless.answer("text/html").await;
                    assert_eq!(tags(answer.body()), tags(harmless.body()), "{answer:?}");
                }
                "text/plain; charset=utf-8" => assert!(answer.body().lines().count() == 6),
                GRPC => is_a_grpc_message(&answer),
                other => panic!("{other}"),
            }
            assert!(answer.body().len() < 8_192);
        }
    }
}

const GRPC: &str = "application/grpc";

fn is_one_member(answer: &Response<String>, cause: Cause) {
    let header = answer.headers()["proxy-status"].to_str().unwrap();
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

fn is_a_problem(answer: &Response<String>) {
    let problem: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
    let allowed = ["type", "title", "status", "detail", "cause", "request_id", "error"];
    let problem = problem.as_object().unwrap();
    assert!(problem.keys().all(|key| allowed.contains(&&**key)), "{problem:?}");
    assert!(problem["error"].as_str().unwrap().chars().count() <= 512);
    if let Some(id) = problem.get("request_id") {
        let id = id.as_str().unwrap();
        assert!(id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
    }
}

/// gRPC's `Percent-Encoded`.
fn is_a_grpc_message(answer: &Response<String>) {
    let message = answer.headers()["grpc-message"].to_str().unwrap();
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
    assert_eq!(answer.body(), "");
}

/// All tags, in order.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|rest| rest.split_once('>').expect("an end").0).collect()
}

#[tokio::test]
async fn hostile_texts_are_escaped() {
    for text in NASTY {
        let bytes = text.as_bytes();
        let cause = Cause::ConnectionRefused;
        Input { name: text, error: text, cause, accept: bytes, id: bytes }
            .is_answered_soundly()
            .await;
    }
}

#[tokio::test]
async fn values_of_64_kib_and_invalid_utf_8_are_escaped() {
    let long = "<script>\"\r\n".repeat(6_554);
    let bytes = [b"<script>;q=\"".repeat(5_462), vec![b'a'; 65_536], vec![0xff; 65_536]];
    for bytes in &bytes {
        let cause = Cause::HttpResponseTimeout;
        let input = Input { name: &long, error: &long, cause, accept: bytes, id: bytes };
        input.is_answered_soundly().await;
        let body = input.answer("application/json").await.into_body();
        assert!(!body.contains("request_id"), "{body}");
    }
}

#[tokio::test]
async fn request_id_is_echoed_unchanged_or_omitted() {
    let told = async |id: &[u8]| {
        let cause = Cause::DnsError;
        let input = Input { name: "edge", error: "x", cause, accept: b"", id };
        let problem = input.answer("application/json").await.into_body();
        let problem: serde_json::Value = serde_json::from_str(&problem).unwrap();
        problem.get("request_id").map(|id| id.as_str().unwrap().to_owned())
    };
    for id in ["0f9c2b7e-51aa", "<script>", "\"", &"x".repeat(128)] {
        assert_eq!(told(id.as_bytes()).await.as_deref(), Some(id));
    }
    for id in [&b""[..], b"two words", b"tab\there", b"caf\xc3\xa9", b"\xff", &[b'x'; 129]] {
        assert_eq!(told(id).await, None, "{}", id.escape_ascii());
    }
}

/// The text of an error is disclosed only when enabled.
#[tokio::test]
async fn error_text_is_not_disclosed_in_any_format() {
    for accept in ["text/html", "text/plain", "application/json", GRPC] {
        let mut request = request(Method::POST);
        for name in ["accept", "content-type"] {
            request.headers_mut().insert(name, HeaderValue::from_static(accept));
        }
        let error = Says("hunter2 at 10.0.0.1".into(), Failure::new(Cause::DnsError));
        let response = ask(ErrorResponseLayer::new("edge"), request, error).await;
        let all = format!("{:?}", response.headers()) + &text(response).await;
        assert!(!all.contains("hunter2") && !all.contains("10.0.0.1"), "{all}");
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let nasty = select(&NASTY[..]).prop_map(str::to_owned);
    vec(prop_oneof![any::<String>(), nasty], 0..4).prop_map(|parts| parts.concat())
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let ranges =
        select(&["text/html", "*/*", ";q=", "0.5", ",", "\"", "\\", " ", ";charset=utf-8"][..]);
    let ranges = vec(ranges, 0..12).prop_map(|parts| parts.concat().into_bytes());
    prop_oneof![vec(any::<u8>(), 0..200), vec(32u8..127, 0..200), ranges]
}

proptest! {
    #[test]
    fn arbitrary_text_cannot_break_out_of_response(
        name in any_text(),
        error in any_text(),
        // The registered ones, which `Proxy-Status` names as they are.
        cause in select(&Cause::ALL[..32]),
        accept in any_bytes(),
        id in any_bytes(),
    ) {
        let input = Input { name: &name, error: &error, cause, accept: &accept, id: &id };
        block_on(input.is_answered_soundly());
    }
}
