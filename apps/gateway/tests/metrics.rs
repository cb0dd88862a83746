//! `/metrics`.

mod support;

use std::{
    io::Write,
    process::{Command, Stdio},
};

use scripted_origin::{Origin, Script};
use support::{Serving, gateway};

/// What is told after one request to a healthy upstream, and one to an upstream that answers nothing but 502.
async fn told() -> (http::HeaderMap, String) {
    let (up, down) =
        (Origin::start(Script::Healthy).await, Origin::start(Script::Status(502)).await);
    let (up, down) = (up.unwrap(), down.unwrap());
    let upstream = |name, origin: &Origin| format!("{name}=http://{}", origin.addr());
    let (up, down) = (upstream("up", &up), upstream("down", &down));
    let serving = Serving::start(&["--upstream", &up, "--upstream", &down]);
    assert_eq!(serving.ask("GET", "/up").await.0, 200);
    assert_eq!(serving.ask("GET", "/down").await.0, 502);
    let (status, headers, text) = serving.ask("GET", "/metrics").await;
    assert_eq!(status, 200);
    assert_eq!(serving.end("-TERM").0, Some(0));
    (headers, text)
}

#[tokio::test]
async fn prometheus_is_told_what_the_layers_count() {
    let (headers, text) = told().await;
    assert_eq!(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "# TYPE seawall_attempts_total counter",
        "seawall_attempts_total{cause=\"none\"} 1",
        "seawall_attempts_total{cause=\"bad_gateway\"} 4",
        "seawall_retries_total{outcome=\"failure\"} 3",
        "# TYPE http_client_request_duration histogram",
        "http_server_request_duration_bucket{http_request_method=\"GET\",http_response_status_code=\"200\",url_scheme=\"http\",http_route=\"/up\",le=\"10\"} 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
#[ignore = "needs promtool"]
async fn promtool_finds_no_fault_with_it() {
    let (_, text) = told().await;
    let mut promtool = Command::new("promtool");
    let mut child = promtool.args(["check", "metrics"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
}

#[test]
fn an_upstream_cannot_take_its_place() {
    let output = gateway(&["--upstream", "metrics=http://127.0.0.1:1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/metrics is the gateway's own"));
}
