//! The page's server side: what it sends, to whom, and who may press its buttons.

mod support;

use std::time::Duration;

use axum::body::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use scripted_origin::{Origin, Script};
use serde_json::{Value, json};
use support::Serving;
use tokio::time::Instant;

async fn send(method: &str, url: &str, fields: &[(&str, &str)]) -> Response<Incoming> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    client.request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap()
}

async fn get(url: &str, fields: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    let (head, body) = send("GET", url, fields).await.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (head.status, head.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

/// A listening page.
struct Page(Response<Incoming>, String);

impl Page {
    async fn open(gateway: &Serving) -> Self {
        let response = send("GET", &format!("{}/@/events", gateway.url), &[]).await;
        Self(response, String::new())
    }

    /// The next snapshot; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Value> {
        while !self.1.contains("\n\n") {
            let frame = self.0.frame().await?.unwrap().into_data().unwrap();
            self.1.push_str(std::str::from_utf8(&frame).unwrap());
        }
        let (event, rest) = self.1.split_once("\n\n").unwrap();
        let snapshot = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
        self.1 = rest.into();
        Some(snapshot)
    }

    /// The first snapshot that is so.
    async fn until(&mut self, is_so: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let snapshot = self.next().await.unwrap();
            if is_so(&snapshot) {
                return snapshot;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{snapshot:#}");
        }
    }
}

async fn in_front_of(script: Script) -> (Origin, Serving) {
    let origin = Origin::start(script).await.unwrap();
    let gateway = Serving::start(&["--upstream", &format!("x=http://{}", origin.addr())]);
    (origin, gateway)
}

#[tokio::test]
async fn browsers_get_a_page_and_others_the_line() {
    let (_origin, gateway) = in_front_of(Script::Healthy).await;
    let of = async |accept: &[(&str, &str)]| get(&gateway.url, accept).await;
    for html in [
        "text/html",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "text/plain;q=0.5, TEXT/HTML ; q=0.7",
    ] {
        let (status, headers, body) = of(&[("accept", html)]).await;
        assert_eq!((status, &headers["vary"]), (StatusCode::OK, &"accept".parse().unwrap()));
        assert!(body.starts_with("<!doctype html>"), "{html}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    for plain in
        ["*/*", "text/plain", "text/html;q=0", "text/html;q=0.1,text/plain", "nonsense;;,="]
    {
        let (_, headers, body) = of(&[("accept", plain)]).await;
        assert_eq!(body, "seawall gateway. There is /x.\n", "{plain}");
        assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    }
    assert_eq!(of(&[]).await.2, "seawall gateway. There is /x.\n");
}

#[tokio::test]
async fn the_page_needs_nothing_but_its_own_files() {
    let (_origin, gateway) = in_front_of(Script::Healthy).await;
    let (_, _, page) = get(&gateway.url, &[("accept", "text/html")]).await;
    let mut wanted: Vec<String> = page
        .split('"')
        .filter(|text| text.starts_with("/@/") && *text != "/@/events")
        .map(Into::into)
        .collect();
    let mut seen = vec![page];
    while let Some(path) = wanted.pop() {
        let (status, headers, text) = get(&format!("{}{path}", gateway.url), &[]).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        let imports = text.split("from \"./").skip(1).filter_map(|rest| rest.split('"').next());
        wanted.extend(imports.map(|name| format!("/@/{name}")));
        seen.push(text);
    }
    assert_eq!(seen.len(), 6);
    for text in &seen {
        let text = text.replace("http://www.w3.org/2000/svg", "");
        for bad in [
            "http:",
            "https:",
            "innerHTML",
            "insertAdjacentHTML",
            "onclick=",
            "style=",
            "<style",
            "eval(",
        ] {
            assert!(!text.contains(bad), "{bad} in {text}");
        }
    }
}

#[tokio::test]
async fn a_snapshot_tells_the_circuit_the_counts_and_the_failures() {
    let (_origin, gateway) = in_front_of(Script::Refuse).await;
    let (status, _, _) = gateway.ask("GET", "/x").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let mut page = Page::open(&gateway).await;
    assert_eq!(page.0.headers()["content-type"], "text/event-stream");
    assert_eq!(page.0.headers()["cache-control"], "no-store");
    let mut now = page.next().await.unwrap();
    assert_eq!((&now["demo"], &now["slot_seconds"]), (&Value::Null, &json!(5)));
    let upstream = &mut now["upstreams"][0];
    let slots = upstream["slots"].take();
    assert_eq!(slots.as_array().unwrap().len(), 60);
    let sum: u64 = slots.as_array().unwrap().iter().map(|slot| slot[2].as_u64().unwrap()).sum();
    assert_eq!(sum, 1);
    let since = upstream["circuit"]["since_ms"].take();
    assert!(since.is_u64());
    assert_eq!(
        *upstream,
        json!({
            "name": "x", "does": null, "broken": null, "slots": null, "minute": [0, 0, 1, 0],
            "circuit": {
                "state": "closed", "since_ms": null, "next_probe_ms": null, "calls": 4, "failures": 4, "refused": 0,
                "cause": null, "reporter": null, "advice": null,
            },
        })
    );
    let failure = &mut now["failures"][0];
    for age in ["first_ago_ms", "ago_ms"] {
        assert!(failure[age].take().is_u64());
    }
    assert_eq!(
        *failure,
        json!({
            "upstream": "x", "first_ago_ms": null, "ago_ms": null, "count": 1, "status": null,
            "cause": "connection_refused", "reporter": "local", "processed": "no",
            "advice": "Check that the upstream is running and listens on this address and port.",
            "note": null, "attempts": 4, "mended": false, "stop": "budget_spent",
        })
    );
    page.next().await.expect("another one, a second later");
}

#[tokio::test]
async fn a_retried_success_is_told_with_what_it_was_retried_for() {
    let (_origin, gateway) = in_front_of(Script::Once(502, "")).await;
    assert_eq!(gateway.ask("GET", "/x").await.0, StatusCode::OK);
    let now = Page::open(&gateway).await.next().await.unwrap();
    assert_eq!(now["upstreams"][0]["minute"], json!([0, 1, 0, 0]));
    let failure = &now["failures"][0];
    assert_eq!(
        [&failure["cause"], &failure["mended"], &failure["attempts"]],
        [&json!("bad_gateway"), &json!(true), &json!(2)]
    );
}

#[tokio::test]
async fn a_response_that_breaks_off_is_a_failure_and_a_404_is_none() {
    let (mut origin, gateway) = in_front_of(Script::TruncatedBody).await;
    let response = send("GET", &format!("{}/x", gateway.url), &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.into_body().collect().await.is_err());
    origin.follow(Script::Status(404)).await.unwrap();
    assert_eq!(gateway.ask("POST", "/x").await.0, StatusCode::NOT_FOUND);
    let now = Page::open(&gateway).await.next().await.unwrap();
    assert_eq!(now["upstreams"][0]["minute"], json!([1, 0, 1, 0]));
    assert_eq!(now["failures"][0]["cause"], "http_response_incomplete");
}

#[tokio::test]
async fn a_page_too_many_is_told_to_come_again_and_let_in_once_another_has_gone() {
    let (_origin, gateway) = in_front_of(Script::Healthy).await;
    let mut pages = Vec::new();
    for _ in 0..32 {
        pages.push(Page::open(&gateway).await);
    }
    assert!(pages.iter().all(|page| page.0.status() == StatusCode::OK));
    let refused = Page::open(&gateway).await.0;
    assert_eq!(
        (refused.status(), &refused.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"5".parse().unwrap())
    );
    pages.pop();
    let started = Instant::now();
    while Page::open(&gateway).await.0.status() != StatusCode::OK {
        assert!(started.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn an_open_page_does_not_hold_up_the_end() {
    let (_origin, gateway) = in_front_of(Script::Healthy).await;
    let mut page = Page::open(&gateway).await;
    page.next().await.unwrap();
    let reading = tokio::spawn(async move { while page.next().await.is_some() {} });
    let started = Instant::now();
    let (code, log) = tokio::task::spawn_blocking(move || gateway.end("-TERM")).await.unwrap();
    assert_eq!((code, log.as_str()), (Some(0), "draining\n"));
    assert!(started.elapsed() < Duration::from_secs(5));
    reading.await.unwrap();
}

#[tokio::test]
async fn real_upstreams_have_no_buttons_and_no_name_is_taken_from_them() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let names = ["page.css", "events", "traffic", "break", "x"];
    let upstreams: Vec<_> =
        names.iter().map(|name| format!("{name}=http://{}", origin.addr())).collect();
    let arguments: Vec<_> =
        upstreams.iter().flat_map(|upstream| ["--upstream", upstream]).collect();
    let gateway = Serving::start(&arguments);
    for name in names {
        assert_eq!(gateway.ask("GET", &format!("/{name}")).await.2, "ok", "{name}");
    }
    for path in ["/@/break/x", "/@/heal/x", "/@/traffic/on"] {
        let url = format!("{}{path}", gateway.url);
        let response = send("POST", &url, &[("sec-fetch-site", "same-origin")]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn only_the_gateways_own_page_can_press_the_buttons() {
    let gateway = Serving::start(&[]);
    let host = gateway.url.strip_prefix("http://").unwrap();
    let evil = format!("evil.example:{}", host.rsplit_once(':').unwrap().1);
    let evil_origin = format!("http://{evil}");
    let press = async |method: &str, path: &str, fields: &[(&str, &str)]| {
        send(method, &format!("{}/@/{path}", gateway.url), fields).await.status().as_u16()
    };
    for (path, fields) in [
        ("heal/dead", &[][..]),
        ("heal/dead", &[("sec-fetch-site", "cross-site")]),
        ("heal/dead", &[("sec-fetch-site", "same-site"), ("origin", &gateway.url)]),
        ("heal/dead", &[("sec-fetch-site", "none")]),
        ("heal/dead", &[("origin", "null")]),
        ("heal/dead", &[("origin", "http://evil.example")]),
        ("heal/dead", &[("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")]),
        // A name that was made to lead here is of one origin with itself.
        ("heal/dead", &[("host", &evil), ("origin", &evil_origin)]),
        ("heal/dead", &[("host", &evil), ("sec-fetch-site", "same-origin")]),
        ("break/healthy", &[("origin", "http://127.0.0.1:1")]),
        ("traffic/on", &[("sec-fetch-site", "cross-site")]),
    ] {
        assert_eq!(press("POST", path, fields).await, 403, "{path} {fields:?}");
    }
    let own = &[("sec-fetch-site", "same-origin"), ("origin", &gateway.url[..])][..];
    assert_eq!(press("GET", "heal/dead", own).await, 405);
    let early = press("POST", "heal/dead", own).await;
    let mut page = Page::open(&gateway).await;
    if page.next().await.unwrap()["demo"]["measuring"] == true {
        assert_eq!(early, 409);
    }
    page.until(|now| now["demo"]["measuring"] == false).await;
    assert_eq!(press("POST", "heal/nobody", own).await, 404);
    assert_eq!(press("POST", "traffic/maybe", own).await, 404);
    assert_eq!(press("POST", "heal/dead", &[("origin", &gateway.url)]).await, 204);
    assert_eq!(press("POST", "break/healthy", own).await, 204);
    assert_eq!(press("POST", "traffic/on", own).await, 204);
    let of = |now: &Value, name: &str| {
        let all = now["upstreams"].as_array().unwrap();
        all.iter().find(|upstream| upstream["name"] == name).unwrap().clone()
    };
    let now = page
        .until(|now| {
            of(now, "healthy")["circuit"]["state"] == "open"
                && of(now, "dead")["circuit"]["state"] == "closed"
        })
        .await;
    assert_eq!(now["demo"], json!({ "measuring": false, "traffic": true }));
    assert_eq!(of(&now, "healthy")["circuit"]["reporter"], "nginx");
    assert_eq!(
        (&of(&now, "dead")["does"], &of(&now, "dead")["broken"]),
        (&json!("answers 200"), &json!(false))
    );
    let failures = now["failures"].as_array().unwrap();
    let failure = failures.iter().find(|failure| failure["upstream"] == "healthy").unwrap();
    assert!(failure["note"].as_str().unwrap().starts_with("nginx got no valid response"));
}

#[tokio::test]
async fn no_foreign_page_learns_what_the_live_page_shows() {
    let (_origin, gateway) = in_front_of(Script::Healthy).await;
    let url = format!("{}/@/events", gateway.url);
    for field in [("host", "evil.example:80"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(send("GET", &url, &[field]).await.status(), StatusCode::FORBIDDEN, "{field:?}");
    }
}
