//! Responses that suggest an incorrect classification.

use seawall::{
    Cause, Failure, Processed, Product, Reporter, bad_gateway::BadGatewayClassifierLayer,
};

use super::{classify, classify_with, failure, upstream_response};
use crate::support::{ScriptedBody, Step};

const NGINX_PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0 (Ubuntu)</center>\r\n</body>\r\n</html>\r\n";
const HTML: (&str, &str) = ("content-type", "text/html");
const TEXT: (&str, &str) = ("content-type", "text/plain");
const JSON: (&str, &str) = ("content-type", "application/json");
const ENVOY_RESET: &str =
    "upstream connect error or disconnect/reset before headers. reset reason: ";

#[tokio::test]
async fn layer_adds_no_failure_to_200_response() {
    let response = upstream_response(200, &[("x-transformed-from", "HTTP/0.9")], "garbage\r\n");
    let response = classify_with(BadGatewayClassifierLayer::new(), response).await;
    assert_eq!(response.extensions().get::<Failure>(), None);
}

#[tokio::test]
async fn layer_recognizes_gateway_page_with_status_500() {
    let page = "<h1>Proxy Error</h1>\nThe proxy server could not handle the request\
        <p>Reason: <strong>DNS lookup failure for: no-such-host.invalid</strong></p><p />";
    let dns = classify(500, &[HTML], page).await;
    assert_eq!((dns.cause(), dns.processed()), (Cause::DnsError, Processed::Unlikely));
    // The author of these pages is unknown, so they are not attributed to the application.
    for (kind, body) in [(TEXT, "Internal Server Error"), (HTML, "<h1>Server Error (500)</h1>")] {
        let unknown = classify(500, &[kind], body).await;
        assert_eq!((unknown.cause(), unknown.reporter()), (Cause::Unknown, Reporter::Unknown));
    }
}

#[tokio::test]
async fn layer_classifies_application_json_as_origin_error() {
    for status in [500, 502, 504] {
        let body = r#"{"error":"ledger timed out","code":"LEDGER"}"#;
        let failure = classify(status, &[("server", "nginx/1.22.1"), JSON], body).await;
        assert_eq!(
            (failure.cause(), failure.reporter()),
            (Cause::OriginError, Reporter::Unknown),
            "{status}"
        );
    }
    let failure = classify(503, &[JSON, ("retry-after", "7")], r#"{"error":"maintenance"}"#).await;
    assert_eq!(failure.cause(), Cause::Overloaded);
}

#[tokio::test]
async fn layer_does_not_attribute_json_about_gateways_to_application() {
    for (status, body, cause) in [
        (502, r#"{"statusCode":502,"error":"Bad Gateway","message":"connect"}"#, Cause::BadGateway),
        (502, r#"{"message":"Upstream closed the connection"}"#, Cause::BadGateway),
        (504, r#"{"message":"The PROXY gave up"}"#, Cause::GatewayTimeout),
        (500, r#"{"message":"Internal Server Error"}"#, Cause::Unknown),
    ] {
        let failure = classify(status, &[JSON], body).await;
        assert_eq!((failure.cause(), failure.reporter()), (cause, Reporter::Unknown), "{body}");
    }
}

#[tokio::test]
async fn server_header_does_not_identify_reporter() {
    for server in ["nginx/1.22.1", "Apache/2.4.71 (Debian)", "envoy", "squid/5.7", "cloudflare"] {
        let bare = classify(502, &[("server", server), HTML], "<h1>It broke</h1>").await;
        assert_eq!(
            (bare.cause(), bare.reporter()),
            (Cause::BadGateway, Reporter::Unknown),
            "{server}"
        );
    }
}

#[tokio::test]
async fn page_identifies_author_not_relaying_gateway() {
    for server in
        [&[("server", "envoy")][..], &[("server", "Caddy"), ("server", "nginx/1.18.0")], &[]]
    {
        let nested = classify(502, &[server, &[HTML]].concat(), NGINX_PAGE).await;
        assert_eq!(nested.reporter(), Reporter::Gateway(Product::Nginx));
        assert_eq!((nested.cause(), nested.processed()), (Cause::BadGateway, Processed::Maybe));
    }
    let text = format!("{ENVOY_RESET}connection termination");
    let nested = classify(503, &[TEXT, ("via", "1.1 squid")], &text).await;
    assert_eq!(nested.reporter(), Reporter::Gateway(Product::Envoy));
    assert_eq!(nested.cause(), Cause::ConnectionTerminated);
}

#[tokio::test]
async fn nginx_504_may_be_processed() {
    let page = NGINX_PAGE.replace("502 Bad Gateway", "504 Gateway Time-out");
    let failure = classify(504, &[HTML], &page).await;
    assert_eq!(failure.processed(), Processed::Maybe);
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::Nginx));
}

#[tokio::test]
async fn nginx_503_identifies_nginx_and_may_be_processed() {
    let page = NGINX_PAGE.replace("502 Bad Gateway", "503 Service Temporarily Unavailable");
    let failure = classify(503, &[HTML], &page).await;
    assert_eq!((failure.cause(), failure.processed()), (Cause::Overloaded, Processed::Maybe));
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::Nginx));
}

#[tokio::test]
async fn layer_recognizes_haproxy_error_file_by_text() {
    let text = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n\n";
    let mut response = upstream_response(
        503,
        &[HTML, ("cache-control", "no-cache"), ("connection", "close")],
        text,
    );
    *response.version_mut() = http::Version::HTTP_10;
    let failure = failure(&classify_with(BadGatewayClassifierLayer::new(), response).await);
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::HaProxy));
    assert_eq!(failure.processed(), Processed::Maybe);
}

#[tokio::test]
async fn layer_recognizes_empty_caddy_response_without_other_headers() {
    let caddy_headers = [("server", "Caddy"), ("content-length", "0"), ("date", "today")];
    let failure = classify(502, &caddy_headers, "").await;
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::Caddy));
    for extra in [("x-request-id", "7"), HTML, ("via", "1.1 Caddy"), ("server", "app")] {
        let relayed = classify(502, &[&caddy_headers[..], &[extra]].concat(), "").await;
        assert_eq!(relayed.reporter(), Reporter::Unknown, "{extra:?}");
    }
}

#[tokio::test]
async fn squid_read_error_determines_cause_only_with_errno() {
    let reset = classify(502, &[("x-squid-error", "ERR_READ_ERROR 104")], "").await;
    assert_eq!((reset.cause(), reset.processed()), (Cause::ConnectionTerminated, Processed::Maybe));
    // No usable peer, an unknown name, or a TLS connection that closed after reading the request.
    let unknown = classify(502, &[("x-squid-error", "ERR_READ_ERROR 0")], "").await;
    assert_eq!((unknown.cause(), unknown.processed()), (Cause::BadGateway, Processed::Maybe));
}

#[tokio::test]
async fn envoy_page_determines_cause_with_or_without_transport_reason() {
    use Processed::{Maybe, Unlikely};
    for (reason, cause, processed) in [
        ("remote connection failure", Cause::DestinationUnavailable, Unlikely),
        ("connection timeout", Cause::ConnectionTimeout, Unlikely),
        ("overflow", Cause::ConnectionLimitReached, Unlikely),
        // Some builds do not report that they have retried.
        (
            "connection failure, transport failure reason: delayed connect error: 111",
            Cause::ConnectionRefused,
            Maybe,
        ),
        (
            "remote connection failure, transport failure reason: TLS_error:|268435581:SSL",
            Cause::TlsProtocolError,
            Maybe,
        ),
    ] {
        let failure = classify(503, &[TEXT], &format!("{ENVOY_RESET}{reason}")).await;
        assert_eq!((failure.cause(), failure.processed()), (cause, processed), "{reason}");
    }
}

#[tokio::test]
async fn request_resent_by_gateway_may_be_processed() {
    let retried = "upstream connect error or disconnect/reset before headers. \
        retried and the latest reset reason: ";
    for (reason, cause) in [
        ("remote connection failure", Cause::DestinationUnavailable),
        ("connection timeout", Cause::ConnectionTimeout),
        ("overflow", Cause::BadGateway),
    ] {
        let headers = [TEXT, ("x-envoy-overloaded", "true")];
        let failure = classify(503, &headers, &format!("{retried}{reason}")).await;
        assert_eq!((failure.cause(), failure.processed()), (cause, Processed::Maybe), "{reason}");
    }
    // Envoy returns this page as well when its own attempt has ejected the last host.
    let ejected = classify(503, &[TEXT], "no healthy upstream").await;
    assert_eq!(ejected.processed(), Processed::Maybe);
}

#[tokio::test]
async fn quoted_page_does_not_identify_gateway() {
    let nginx = NGINX_PAGE.replace("502 Bad Gateway", "503 Service Temporarily Unavailable");
    let envoy = format!("{ENVOY_RESET}remote connection failure");
    let apache = "<p>Reason: <strong>DNS lookup failure for: x".to_owned();
    for (status, page) in [(503, nginx), (503, envoy), (500, apache)] {
        let quoted =
            serde_json::json!({ "error": "stored, but the inventory failed", "page": page });
        let failure = classify(status, &[JSON], &quoted.to_string()).await;
        assert_eq!(
            (failure.reporter(), failure.processed()),
            (Reporter::Unknown, Processed::Maybe)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn prefix_does_not_match_fingerprint_of_complete_body() {
    let h2o_headers = [("server", "h2o/2.2.5"), TEXT];
    let complete = classify(502, &h2o_headers, "connection failed").await;
    assert_eq!(complete.cause(), Cause::ConnectionRefused);
    for (headers, start, rest) in [
        (h2o_headers, "connection failed", " after the card was charged"),
        ([("x-a", "b"), JSON], "{\"error\":\"boom\"", ",\"by\":\"the gateway\"}"),
    ] {
        let mut response = upstream_response(502, &headers, "");
        let steps = [Step::Data(start.into()), Step::Stall, Step::Data(rest.into())];
        *response.body_mut() = ScriptedBody::new(steps);
        let stalled = failure(&classify_with(BadGatewayClassifierLayer::new(), response).await);
        assert_eq!((stalled.cause(), stalled.processed()), (Cause::BadGateway, Processed::Maybe));
        let layer = BadGatewayClassifierLayer::new().max_peek_bytes(start.len());
        let cut = failure(
            &classify_with(layer, upstream_response(502, &headers, &format!("{start}{rest}")))
                .await,
        );
        assert_eq!((cut.cause(), cut.processed()), (Cause::BadGateway, Processed::Maybe));
    }
}

#[tokio::test]
async fn layer_classifies_500_as_unknown_when_body_is_unreadable() {
    let gzip = ("content-encoding", "gzip");
    for (headers, body) in
        [(&[HTML][..], ""), (&[gzip, HTML], "x"), (&[("content-type", "image/png")], "x")]
    {
        let failure = classify(500, headers, body).await;
        assert_eq!(failure.cause(), Cause::Unknown, "{headers:?}");
    }
    let layer = BadGatewayClassifierLayer::new().max_peek_bytes(0);
    let unread = failure(
        &classify_with(layer, upstream_response(500, &[TEXT], "Internal Server Error")).await,
    );
    assert_eq!(unread.cause(), Cause::Unknown);
}

#[tokio::test]
async fn common_values_do_not_identify_reporter() {
    let ray = ("cf-ray", "8f01016abcd");
    for (status, headers, body) in [
        (429, &[ray, JSON][..], r#"{"error":"slow down","reset":1731015000}"#),
        (530, &[ray], "<title>Error 1033</title> Ray ID: 8f01016abcd1234"),
        (
            500,
            &[JSON],
            r#"{"statusCode":500,"code":"ECONNRESET","error":"Internal Server Error","message":"read ECONNRESET"}"#,
        ),
        (429, &[JSON, ("x-amzn-errortype", "TooManyRequestsException")], r#"{"Reason":"x"}"#),
        (502, &[JSON], r#"{"fault":{"faultstring":"Unexpected EOF at target"}}"#),
        (502, &[JSON], r#"{"message":"connect ECONNREFUSED 10.0.0.1:80"}"#),
    ] {
        let failure = classify(status, headers, body).await;
        assert_eq!(failure.reporter(), Reporter::Unknown, "{body}");
        assert!(!matches!(failure.cause(), Cause::OriginError | Cause::DnsError), "{body}");
    }
}
