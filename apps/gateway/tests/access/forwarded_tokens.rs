//! No token of the gateway reaches an upstream.

use crate::setup::{ADMIN, ADMIN_SECTION, ANN, BOB, CLIENTS, SERVICES, Setup, basic, bearer};

/// Asserts that the head contains no token in any form.
fn assert_no_token(head: &str, case: &str) {
    for token in [ANN, BOB, ADMIN] {
        assert!(!head.contains(token), "{case}: {token} in\n{head}");
    }
    assert!(!head.contains("Basic "), "{case}: a token in\n{head}");
}

#[tokio::test]
async fn upstream_never_gets_token_that_admitted_client() {
    let setup = Setup::start(&format!("{CLIENTS}{SERVICES}")).await;
    let encoded = format!("?a=1&k%65y=%74{}&b", &ANN[1..]);
    for (query, field) in [
        ("", bearer(ANN)),
        ("", format!("authorization: bearer  {ANN} ")),
        ("", format!("authorization: {ANN}")),
        ("", format!("authorization: Token {ANN}")),
        ("", basic("any", ANN)),
        ("", basic(ANN, "")),
        ("", format!("x-api-key: {ANN}")),
        ("", format!("api-key: {ANN}")),
        ("", format!("x-goog-api-key: {ANN}")),
        (&format!("?a=1&key={ANN}&b"), String::new()),
        (&encoded, String::new()),
    ] {
        for service in ["keyless", "keyed", "plain"] {
            let case = format!("{service} {query} {field}");
            let fields: &[&str] = if field.is_empty() { &[] } else { &[&field] };
            let head = setup.forwarded(&format!("POST /{service}/x{query}"), fields).await;
            assert_no_token(&head, &case);
            assert!(query.is_empty() || head.starts_with("POST /x?a=1&b HTTP"), "{head}");
            let has_key = head.contains("authorization: Bearer upstream-key");
            assert_eq!(has_key, service == "keyed", "{case}: {head}");
        }
    }
}

#[tokio::test]
async fn upstream_without_key_gets_other_credentials() {
    let setup = Setup::start(&format!("{CLIENTS}{SERVICES}")).await;
    let own = format!("x-api-key: {ANN}");
    for service in ["keyless", "plain"] {
        let fields = [&own, "authorization: Bearer mine", "cookie: a=b", "openai-project: p"];
        let head = setup.forwarded(&format!("POST /{service}/x?key=mine&c=d"), &fields).await;
        assert_no_token(&head, service);
        assert!(head.starts_with("POST /x?key=mine&c=d HTTP"), "{head}");
        for field in &fields[1..] {
            assert!(head.contains(field), "{service}: {field} not in {head}");
        }
    }
    let fields = [&own, "authorization: Bearer mine", "cookie: a=b"];
    let head = setup.forwarded("POST /keyed/x?key=mine", &fields).await;
    assert!(!head.contains("mine") && !head.contains("a=b"), "{head}");
}

#[tokio::test]
async fn upstream_never_gets_second_token() {
    let setup = Setup::start(&format!("{ADMIN_SECTION}{CLIENTS}{SERVICES}")).await;
    let own = bearer(ANN);
    for (query, field, kept) in [
        ("", format!("x-api-key: {BOB}"), ""),
        ("", format!("x-goog-api-key: {ADMIN}"), ""),
        ("", basic("x", BOB), ""),
        ("", basic("x", BOB).replace("authorization", "proxy-authorization"), ""),
        ("", format!("cookie: a=b; t={BOB}; c=\"{ANN}\"; d={ADMIN}"), "cookie: a=b\r\n"),
        ("", format!("cookie: t={BOB}"), ""),
        (&format!("?key={BOB}&key=mine&token={ANN}"), "a: b".into(), "POST /x?key=mine HTTP"),
        (&format!("?a=b;key={ANN}&c"), "a: b".into(), "POST /x?c HTTP"),
        ("", basic("x", BOB).trim_end_matches('=').into(), ""),
        ("", format!("referer: http://gateway/x?key={ANN}"), ""),
        ("", format!("sec-websocket-protocol: realtime, openai-insecure-api-key.{ANN}"), ""),
        ("", format!("x-custom: {ANN}"), ""),
    ] {
        for service in ["keyless", "plain"] {
            let case = format!("{service} {query} {field}");
            let request = format!("POST /{service}/x{query}");
            let head = setup.forwarded(&request, &[&own, &field]).await;
            assert_no_token(&head, &case);
            assert!(head.contains(kept), "{case}: {kept} not in {head}");
        }
    }
}

#[tokio::test]
async fn upstream_never_gets_admin_token_when_no_client_is_configured() {
    let setup = Setup::start(&format!("{ADMIN_SECTION}{SERVICES}")).await;
    for service in ["keyless", "plain"] {
        for field in [basic("any", ADMIN), bearer(ADMIN), format!("cookie: t={ADMIN}")] {
            let head = setup.forwarded(&format!("POST /{service}/x"), &[&field]).await;
            assert_no_token(&head, &field);
        }
        let head = setup.forwarded(&format!("POST /{service}/x"), &[&bearer("mine")]).await;
        assert!(head.contains("authorization: Bearer mine"), "{head}");
    }
}

#[tokio::test]
async fn log_never_contains_token() {
    let setup = Setup::start(&format!("{ADMIN_SECTION}{CLIENTS}{SERVICES}")).await;
    let fields = [bearer(ANN), basic("x", ADMIN), format!("x-api-key: {BOB}")];
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    setup.forwarded(&format!("POST /keyless/x?key={ANN}"), &fields).await;
    setup.send("POST /keyless/x", &[&bearer("wrong-token")]).await.service_refusal(401);
    let (_, log) = setup.gateway.stop("-TERM");
    assert_eq!(log.lines().filter(|line| line.contains("/keyless")).count(), 2, "{log}");
    assert_no_token(&log, "log");
    assert!(!log.contains("wrong-token"), "{log}");
}
