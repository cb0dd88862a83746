//! The command line and the proxying of plain upstreams.

mod support;

use std::{net::TcpListener, process::Output};

use scripted_origin::{Origin, Script};
use support::{GatewayProcess, gateway};

fn output(arguments: &[&str]) -> Output {
    gateway(arguments).output().unwrap()
}

#[test]
fn help_lists_options() {
    let output = output(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for option in ["--upstream", "--listen", "--once", "--timeout", "--log", "--help"] {
        assert!(text.contains(option), "{option}");
    }
}

#[test]
fn invalid_arguments_exit_with_2_and_one_line() {
    for arguments in [
        &["--nope"][..],
        &["extra"],
        &["--upstream", "no-url"],
        &["--upstream", "a=ftp://host"],
        &["--upstream", "a=not a url"],
        &["--upstream", "a=http://"],
        &["--upstream", "a=http://user:hunter2@host"],
        &["--upstream", "a/b=http://host"],
        &["--upstream", "=http://host"],
        &["--upstream", "a=http://host", "--upstream", "a=http://other"],
        &["--upstream", "a=http://host", "--once"],
        &["--listen", "nowhere"],
        &["--listen", "127.0.0.1:99999"],
        &["--timeout", "0"],
        &["--timeout", "-1"],
        &["--timeout", "soon"],
        &["--log", "xml"],
    ] {
        let output = output(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn port_in_use_exits_with_2_and_one_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let output = output(&["--listen", &address, "--once"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(2), 1), "{stderr}");
    assert!(stderr.starts_with(&format!("cannot listen on {address}: ")), "{stderr}");
}

#[tokio::test]
async fn request_is_forwarded_with_path_query_and_proxy_headers() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway =
        GatewayProcess::start(&["--upstream", &format!("api=http://{}/base", origin.addr())]);
    let (status, headers, body) = gateway.request("GET", "/api/a/b?c=d").await;
    assert_eq!((status.as_u16(), body.as_str()), (200, "ok"));
    assert_eq!(headers["via"], "1.1 seawall-gateway");
    let head = origin.received()[0].head.to_lowercase();
    assert!(head.starts_with("get /base/a/b?c=d http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: {}", origin.addr())), "{head}");
    for field in ["via: 1.1 seawall-gateway", "x-forwarded-for: 127.0.0.1", "x-forwarded-host: 127"]
    {
        assert!(head.contains(field), "{field} in {head}");
    }
    let (status, _, _) = gateway.request("GET", "/other").await;
    assert_eq!(status.as_u16(), 404);
    let (status, _, body) = gateway.request("GET", "/").await;
    assert_eq!(status.as_u16(), 200);
    assert!(body.contains("/api"), "{body}");
}

#[tokio::test]
async fn dead_upstream_gets_502_with_problem_details() {
    let origin = Origin::start(Script::Refuse).await.unwrap();
    let gateway = GatewayProcess::start(&["--upstream", &format!("dead=http://{}", origin.addr())]);
    let (status, headers, body) = gateway.request("GET", "/dead").await;
    assert_eq!(status.as_u16(), 502);
    assert_eq!(headers["proxy-status"], "seawall-gateway;error=connection_refused");
    assert_eq!(headers["content-type"], "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["cause"], "connection_refused");
}

#[tokio::test]
async fn silent_upstream_gets_504_after_timeout() {
    let origin = Origin::start(Script::Silent).await.unwrap();
    let url = format!("silent=http://{}", origin.addr());
    let gateway = GatewayProcess::start(&["--upstream", &url, "--timeout", "0.05"]);
    let (status, headers, _) = gateway.request("GET", "/silent").await;
    assert_eq!(status.as_u16(), 504);
    assert_eq!(headers["proxy-status"], "seawall-gateway;error=http_response_timeout");
    assert_eq!(origin.requests(), 5);
}

#[tokio::test]
async fn get_is_retried_and_post_is_not() {
    let origin = Origin::start(Script::Status(502)).await.unwrap();
    let gateway = GatewayProcess::start(&["--upstream", &format!("x=http://{}", origin.addr())]);
    let (status, _, body) = gateway.request("POST", "/x").await;
    assert_eq!((status.as_u16(), body.as_str(), origin.requests()), (502, "failed on purpose", 1));
    gateway.request("GET", "/x").await;
    assert_eq!(origin.requests(), 6);
}

#[tokio::test]
async fn signal_drains_and_json_log_hides_secrets() {
    let origin = Origin::start(Script::Status(502)).await.unwrap();
    for signal in ["-INT", "-TERM"] {
        let url = format!("x=http://{}", origin.addr());
        let gateway = GatewayProcess::start(&["--upstream", &url, "--log", "json"]);
        gateway.request("POST", "/x?token=SECRET").await;
        let (code, log) = gateway.stop(signal);
        assert_eq!(code, Some(0), "{log}");
        let lines: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [request, draining] = &lines[..] else { panic!("{log}") };
        assert_eq!((&request["level"], &draining["level"]), (&"WARN".into(), &"INFO".into()));
        assert_eq!(request["fields"]["seawall.cause"], "bad_gateway");
        assert_eq!(draining["fields"]["message"], "draining");
        assert!(!log.contains("SECRET"));
    }
}
