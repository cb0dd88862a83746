//! The dashboard's endpoints: files, snapshots, access checks and the demo's controls.

mod support;

use std::time::Duration;

use http::{Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use scripted_origin::{Origin, Script};
use serde_json::{Value, json};
use support::{GatewayProcess, get, send};
use tokio::time::Instant;

/// An open event stream and its buffered text.
struct EventStream(Response<Incoming>, String);

impl EventStream {
    async fn open(gateway: &GatewayProcess) -> Self {
        let response = send("GET", &format!("{}/@/events", gateway.url), &[]).await;
        Self(response, String::new())
    }

    /// Returns the next snapshot, or `None` at the end of the stream.
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

    /// Returns the first snapshot that matches.
    async fn wait_for(&mut self, matches: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let snapshot = self.next().await.unwrap();
            if matches(&snapshot) {
                return snapshot;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{snapshot:#}");
        }
    }
}

async fn gateway_with(script: Script) -> (Origin, GatewayProcess) {
    let origin = Origin::start(script).await.unwrap();
    let gateway = GatewayProcess::start(&["--upstream", &format!("x=http://{}", origin.addr())]);
    (origin, gateway)
}

#[tokio::test]
async fn index_is_html_for_browsers_and_text_for_others() {
    let (_origin, gateway) = gateway_with(Script::Healthy).await;
    let index = async |accept: &[(&str, &str)]| get(&gateway.url, accept).await;
    for html in [
        "text/html",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "text/plain;q=0.5, TEXT/HTML ; q=0.7",
    ] {
        let (status, headers, body) = index(&[("accept", html)]).await;
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
        let (_, headers, body) = index(&[("accept", plain)]).await;
        assert_eq!(body, "seawall gateway. Services: /x.\n", "{plain}");
        assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    }
    assert_eq!(index(&[]).await.2, "seawall gateway. Services: /x.\n");
}

#[tokio::test]
async fn page_loads_only_own_files() {
    let (_origin, gateway) = gateway_with(Script::Healthy).await;
    let (_, _, page) = get(&gateway.url, &[("accept", "text/html")]).await;
    let mut pending: Vec<String> = page
        .split('"')
        .filter(|text| text.starts_with("/@/") && *text != "/@/events")
        .map(Into::into)
        .collect();
    let mut files = vec![page];
    while let Some(path) = pending.pop() {
        let (status, headers, text) = get(&format!("{}{path}", gateway.url), &[]).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        let imports = text.split("from \"./").skip(1).filter_map(|rest| rest.split('"').next());
        pending.extend(imports.map(|name| format!("/@/{name}")));
        files.push(text);
    }
    assert_eq!(files.len(), 6);
    for text in &files {
        let text = text.replace("http://www.w3.org/2000/svg", "");
        for forbidden in [
            "http:",
            "https:",
            "innerHTML",
            "insertAdjacentHTML",
            "onclick=",
            "style=",
            "<style",
            "eval(",
        ] {
            assert!(!text.contains(forbidden), "{forbidden} in {text}");
        }
    }
}

#[tokio::test]
async fn snapshot_contains_circuit_counts_and_failures() {
    let (_origin, gateway) = gateway_with(Script::Refuse).await;
    let (status, _, _) = gateway.request("GET", "/x").await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let mut events = EventStream::open(&gateway).await;
    assert_eq!(events.0.headers()["content-type"], "text/event-stream");
    assert_eq!(events.0.headers()["cache-control"], "no-store");
    let mut snapshot = events.next().await.unwrap();
    assert_eq!((&snapshot["demo"], &snapshot["slot_seconds"]), (&Value::Null, &json!(5)));
    let upstream = &mut snapshot["upstreams"][0];
    let slots = upstream["slots"].take();
    assert_eq!(slots.as_array().unwrap().len(), 60);
    let sum: u64 = slots.as_array().unwrap().iter().map(|slot| slot[2].as_u64().unwrap()).sum();
    assert_eq!(sum, 1);
    for percentile in ["p50_ms", "p95_ms"] {
        let latency = upstream["latency"][percentile].take();
        assert!(latency.as_f64().unwrap() > 0.0, "{latency}");
    }
    let since = upstream["circuit"]["since_ms"].take();
    assert!(since.is_u64());
    assert_eq!(
        *upstream,
        json!({
            "name": "x", "behavior": null, "fault": null, "fault_injected": null, "slots": null, "minute": [0, 0, 1, 0],
            "latency": { "p50_ms": null, "p95_ms": null },
            "circuit": {
                "state": "closed", "since_ms": null, "next_probe_ms": null, "calls": 5, "failures": 5, "rejected": 0,
                "cause": null, "reporter": null, "advice": null,
            },
        })
    );
    let failure = &mut snapshot["failures"][0];
    for age in ["first_ago_ms", "ago_ms"] {
        assert!(failure[age].take().is_u64());
    }
    assert_eq!(
        *failure,
        json!({
            "upstream": "x", "first_ago_ms": null, "ago_ms": null, "count": 1, "status": null,
            "cause": "connection_refused", "reporter": "local", "processed": "no",
            "advice": "Check that the upstream is running and listening on this address and port.",
            "evidence": null, "attempts": 5, "recovered": false, "stop_reason": "max_retries",
        })
    );
    events.next().await.expect("another snapshot after a second");
}

#[tokio::test]
async fn success_after_retry_is_listed_as_recovered() {
    let (_origin, gateway) = gateway_with(Script::Once(502, "")).await;
    assert_eq!(gateway.request("GET", "/x").await.0, StatusCode::OK);
    let snapshot = EventStream::open(&gateway).await.next().await.unwrap();
    assert_eq!(snapshot["upstreams"][0]["minute"], json!([0, 1, 0, 0]));
    let failure = &snapshot["failures"][0];
    assert_eq!(
        [&failure["cause"], &failure["recovered"], &failure["attempts"]],
        [&json!("bad_gateway"), &json!(true), &json!(2)]
    );
}

#[tokio::test]
async fn interrupted_response_is_failure_and_404_is_not() {
    let (mut origin, gateway) = gateway_with(Script::TruncatedBody).await;
    let response = send("GET", &format!("{}/x", gateway.url), &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.into_body().collect().await.is_err());
    origin.set_script(Script::Status(404)).await.unwrap();
    assert_eq!(gateway.request("POST", "/x").await.0, StatusCode::NOT_FOUND);
    let snapshot = EventStream::open(&gateway).await.next().await.unwrap();
    assert_eq!(snapshot["upstreams"][0]["minute"], json!([1, 0, 1, 0]));
    assert_eq!(snapshot["failures"][0]["cause"], "http_response_incomplete");
}

#[tokio::test]
async fn open_event_stream_does_not_delay_shutdown() {
    let (_origin, gateway) = gateway_with(Script::Healthy).await;
    let mut events = EventStream::open(&gateway).await;
    events.next().await.unwrap();
    let reading = tokio::spawn(async move { while events.next().await.is_some() {} });
    let started = Instant::now();
    let (code, log) = tokio::task::spawn_blocking(move || gateway.stop("-TERM")).await.unwrap();
    assert_eq!((code, log.as_str()), (Some(0), "draining\n"));
    assert!(started.elapsed() < Duration::from_secs(5));
    reading.await.unwrap();
}

#[tokio::test]
async fn real_upstreams_have_no_controls_and_may_have_names_of_pages() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let names = ["page.css", "events", "traffic", "break", "x"];
    let upstreams: Vec<_> =
        names.iter().map(|name| format!("{name}=http://{}", origin.addr())).collect();
    let arguments: Vec<_> =
        upstreams.iter().flat_map(|upstream| ["--upstream", upstream]).collect();
    let gateway = GatewayProcess::start(&arguments);
    for name in names {
        assert_eq!(gateway.request("GET", &format!("/{name}")).await.2, "ok", "{name}");
    }
    for path in ["/@/break/x", "/@/heal/x", "/@/background-load/on"] {
        let url = format!("{}{path}", gateway.url);
        let response = send("POST", &url, &[("sec-fetch-site", "same-origin")]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn controls_accept_only_same_origin_requests() {
    let gateway = GatewayProcess::start(&[]);
    let host = gateway.url.strip_prefix("http://").unwrap();
    let evil = format!("evil.example:{}", host.rsplit_once(':').unwrap().1);
    let evil_origin = format!("http://{evil}");
    let control = async |method: &str, path: &str, fields: &[(&str, &str)]| {
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
        // DNS rebinding: the foreign name resolves to this server, so the request is same-origin.
        ("heal/dead", &[("host", &evil), ("origin", &evil_origin)]),
        ("heal/dead", &[("host", &evil), ("sec-fetch-site", "same-origin")]),
        ("break/healthy", &[("origin", "http://127.0.0.1:1")]),
        ("background-load/on", &[("sec-fetch-site", "cross-site")]),
    ] {
        assert_eq!(control("POST", path, fields).await, 403, "{path} {fields:?}");
    }
    let own = &[("sec-fetch-site", "same-origin"), ("origin", &gateway.url[..])][..];
    assert_eq!(control("GET", "heal/dead", own).await, 405);
    let early = control("POST", "heal/dead", own).await;
    let mut events = EventStream::open(&gateway).await;
    if events.next().await.unwrap()["demo"]["load_test_running"] == true {
        assert_eq!(early, 409);
    }
    events.wait_for(|snapshot| snapshot["demo"]["load_test_running"] == false).await;
    assert_eq!(control("POST", "heal/unknown", own).await, 404);
    assert_eq!(control("POST", "background-load/maybe", own).await, 404);
    assert_eq!(control("POST", "break/healthy/unknown", own).await, 404);
    assert_eq!(control("POST", "break/unknown/slow", own).await, 404);
    for fault in ["slow", "rate-limit", "cut"] {
        assert_eq!(control("POST", &format!("break/flaky/{fault}"), own).await, 204);
    }
    assert_eq!(control("POST", "heal/dead", &[("origin", &gateway.url)]).await, 204);
    assert_eq!(control("POST", "break/healthy", own).await, 204);
    assert_eq!(control("POST", "background-load/on", own).await, 204);
    let upstream = |snapshot: &Value, name: &str| {
        let all = snapshot["upstreams"].as_array().unwrap();
        all.iter().find(|upstream| upstream["name"] == name).unwrap().clone()
    };
    let snapshot = events
        .wait_for(|snapshot| {
            upstream(snapshot, "healthy")["circuit"]["state"] == "open"
                && upstream(snapshot, "dead")["circuit"]["state"] == "closed"
        })
        .await;
    let demo = &snapshot["demo"];
    assert_eq!(
        (&demo["load_test_running"], &demo["background_load"]),
        (&json!(false), &json!(true))
    );
    let faults: Vec<_> = demo["faults"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(faults, ["slow", "rate-limit", "cut"]);
    let behavior = &upstream(&snapshot, "flaky")["behavior"];
    assert_eq!(behavior, "closes the connection within the response body");
    let ages: Vec<_> =
        snapshot["failures"].as_array().unwrap().iter().map(|it| it["ago_ms"].as_u64()).collect();
    assert!(ages.is_sorted(), "{ages:?}");
    assert_eq!(upstream(&snapshot, "healthy")["circuit"]["reporter"], "nginx");
    assert_eq!(
        (&upstream(&snapshot, "dead")["behavior"], &upstream(&snapshot, "dead")["fault_injected"]),
        (&json!("returns 200"), &json!(false))
    );
    let failures = snapshot["failures"].as_array().unwrap();
    let failure = failures.iter().find(|failure| failure["upstream"] == "healthy").unwrap();
    assert!(failure["evidence"].as_str().unwrap().starts_with("nginx received no valid response"));
}

#[tokio::test]
async fn event_stream_rejects_cross_site_requests() {
    let (_origin, gateway) = gateway_with(Script::Healthy).await;
    let url = format!("{}/@/events", gateway.url);
    for field in [("host", "evil.example:80"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(send("GET", &url, &[field]).await.status(), StatusCode::FORBIDDEN, "{field:?}");
    }
}
