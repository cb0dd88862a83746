//! The program as its user meets it.

mod support;

use std::{net::TcpListener, process::Output};

use scripted_origin::{Origin, Script};
use support::{Serving, gateway};

fn output(arguments: &[&str]) -> Output {
    gateway(arguments).output().unwrap()
}

#[test]
fn help_says_what_there_is_and_succeeds() {
    let output = output(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for option in ["--upstream", "--listen", "--once", "--timeout", "--log", "--help"] {
        assert!(text.contains(option), "{option}");
    }
}

#[test]
fn bad_input_gives_one_line_and_status_2() {
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
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_port_in_use_gives_one_line_and_status_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = output(&["--listen", &address, "--once"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.starts_with(&format!("cannot listen on {address}: ")), "{said}");
}

#[tokio::test]
async fn a_real_upstream_is_proxied_with_path_and_query_and_signed_headers() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = Serving::start(&["--upstream", &format!("api=http://{}/base", origin.addr())]);
    let (status, headers, body) = gateway.ask("GET", "/api/a/b?c=d").await;
    assert_eq!((status.as_u16(), body.as_str()), (200, "ok"));
    assert_eq!(headers["via"], "1.1 seawall-gateway");
    let head = origin.received()[0].head.to_lowercase();
    assert!(head.starts_with("get /base/a/b?c=d http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: {}", origin.addr())), "{head}");
    for field in ["via: 1.1 seawall-gateway", "x-forwarded-for: 127.0.0.1", "x-forwarded-host: 127"]
    {
        assert!(head.contains(field), "{field} in {head}");
    }
    let (status, _, _) = gateway.ask("GET", "/other").await;
    assert_eq!(status.as_u16(), 404);
    let (status, _, body) = gateway.ask("GET", "/").await;
    assert_eq!(status.as_u16(), 200);
    assert!(body.contains("/api"), "{body}");
}

#[tokio::test]
async fn a_dead_upstream_is_an_honest_502() {
    let origin = Origin::start(Script::Refuse).await.unwrap();
    let gateway = Serving::start(&["--upstream", &format!("dead=http://{}", origin.addr())]);
    let (status, headers, body) = gateway.ask("GET", "/dead").await;
    assert_eq!(status.as_u16(), 502);
    assert_eq!(headers["proxy-status"], "seawall-gateway;error=connection_refused");
    assert_eq!(headers["content-type"], "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["cause"], "connection_refused");
}

#[tokio::test]
async fn a_silent_upstream_is_a_504_after_the_time_that_was_set() {
    let origin = Origin::start(Script::Silent).await.unwrap();
    let url = format!("silent=http://{}", origin.addr());
    let gateway = Serving::start(&["--upstream", &url, "--timeout", "0.05"]);
    let (status, headers, _) = gateway.ask("GET", "/silent").await;
    assert_eq!(status.as_u16(), 504);
    assert_eq!(headers["proxy-status"], "seawall-gateway;error=http_response_timeout");
    assert_eq!(origin.requests(), 4);
}

#[tokio::test]
async fn a_post_is_sent_once_and_a_get_again() {
    let origin = Origin::start(Script::Status(502)).await.unwrap();
    let gateway = Serving::start(&["--upstream", &format!("x=http://{}", origin.addr())]);
    let (status, _, body) = gateway.ask("POST", "/x").await;
    assert_eq!((status.as_u16(), body.as_str(), origin.requests()), (502, "failed on purpose", 1));
    gateway.ask("GET", "/x").await;
    assert_eq!(origin.requests(), 5);
}

#[tokio::test]
async fn a_signal_drains_and_the_log_is_json_on_request() {
    let origin = Origin::start(Script::Status(502)).await.unwrap();
    for signal in ["-INT", "-TERM"] {
        let url = format!("x=http://{}", origin.addr());
        let gateway = Serving::start(&["--upstream", &url, "--log", "json"]);
        gateway.ask("POST", "/x?token=SECRET").await;
        let (code, log) = gateway.end(signal);
        assert_eq!(code, Some(0), "{log}");
        let (json, others): (Vec<_>, Vec<_>) = log.lines().partition(|line| line.starts_with('{'));
        assert_eq!(others, ["draining"]);
        // The client's line and the server's.
        assert_eq!(json.len(), 2, "{log}");
        for line in json {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(
                (&line["level"], &line["fields"]["seawall.cause"]),
                (&"WARN".into(), &"bad_gateway".into())
            );
        }
        assert!(!log.contains("SECRET"));
    }
}
