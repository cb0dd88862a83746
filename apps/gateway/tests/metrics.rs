//! The `/metrics` endpoint.

mod support;

use std::{
    io::Write,
    process::{Command, Stdio},
};

use scripted_origin::{Origin, Script};
use support::{GatewayProcess, gateway};

/// Scrapes the metrics after one request to a healthy upstream and one to an upstream that returns
/// 502.
/// Returns the headers and the text of the metrics, in which the addresses of the upstreams are
/// replaced by `up` and `down`.
async fn scrape() -> (http::HeaderMap, String) {
    let (up, down) =
        (Origin::start(Script::Healthy).await, Origin::start(Script::Status(502)).await);
    let (up, down) = (up.unwrap(), down.unwrap());
    let (up_addr, down_addr) = (up.addr().to_string(), down.addr().to_string());
    let upstream = |name, origin: &Origin| format!("{name}=http://{}", origin.addr());
    let (up, down) = (upstream("up", &up), upstream("down", &down));
    let gateway = GatewayProcess::start(&["--upstream", &up, "--upstream", &down]);
    assert_eq!(gateway.request("GET", "/up").await.0, 200);
    assert_eq!(gateway.request("GET", "/down").await.0, 502);
    let (status, headers, text) = gateway.request("GET", "/metrics").await;
    assert_eq!(status, 200);
    assert_eq!(gateway.stop("-TERM").0, Some(0));
    (headers, text.replace(&up_addr, "up").replace(&down_addr, "down"))
}

#[tokio::test]
async fn scrape_contains_metrics_of_layers() {
    let (headers, text) = scrape().await;
    assert_eq!(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "# TYPE seawall_attempts_total counter",
        "seawall_attempts_total{key=\"up\",cause=\"none\"} 1",
        "seawall_attempts_total{key=\"down\",cause=\"bad_gateway\"} 5",
        "seawall_retries_total{key=\"down\",outcome=\"failure\"} 4",
        "# TYPE http_client_request_duration histogram",
        "http_server_request_duration_bucket{http_request_method=\"GET\",http_response_status_code=\"200\",url_scheme=\"http\",http_route=\"/up\",service=\"up\",le=\"10\"} 1",
    ] {
        assert!(text.lines().any(|other| other == line), "expected {line} in\n{text}");
    }
}

#[tokio::test]
async fn scrape_contains_connections_and_process() {
    let (_, text) = scrape().await;
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        let line = line.unwrap_or_else(|| panic!("expected {name} in\n{text}"));
        line.split_once(' ').unwrap().1.parse::<f64>().unwrap()
    };
    // Those of the three requests, of which the last is open.
    assert!((1.0..=3.0).contains(&value("seawall_gateway_connections")), "{text}");
    assert_eq!(value("seawall_gateway_max_connections") as u32, 10_000);
    assert!(value("process_open_fds") >= 4.0 && value("process_max_fds") >= 4.0);
    assert!(value("process_resident_memory_bytes") > 1e6);
}

#[tokio::test]
#[ignore = "needs promtool"]
async fn scrape_passes_promtool() {
    let (_, text) = scrape().await;
    let mut promtool = Command::new("promtool");
    let mut child = promtool.args(["check", "metrics"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
}

#[test]
fn upstream_cannot_be_named_metrics() {
    let output = gateway(&["--upstream", "metrics=http://127.0.0.1:1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the name `metrics` is reserved"));
}
