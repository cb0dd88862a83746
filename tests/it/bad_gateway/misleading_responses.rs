//! Responses that suggest a false conclusion.

use seawall::{BadGatewayClassifierLayer, Cause, Failure, Processed, Product, Reporter};

use super::{answer, concluded, failure, through};
use crate::support::{Step, Steps};

const NGINX_PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0 (Ubuntu)</center>\r\n</body>\r\n</html>\r\n";
const HTML: (&str, &str) = ("content-type", "text/html");
const TEXT: (&str, &str) = ("content-type", "text/plain");
const JSON: (&str, &str) = ("content-type", "application/json");
const ENVOY_RESET: &str =
    "upstream connect error or disconnect/reset before headers. reset reason: ";

#[tokio::test]
async fn failure_in_200_response_is_success_at_head() {
    let answer = answer(200, &[("x-transformed-from", "HTTP/0.9")], "garbage\r\n");
    let answer = through(BadGatewayClassifierLayer::new(), answer).await;
    assert_eq!(answer.extensions().get::<Failure>(), None);
}

#[tokio::test]
async fn status_500_may_be_from_gateway() {
    let page = "<h1>Proxy Error</h1>\nThe proxy server could not handle the request\
        <p>Reason: <strong>DNS lookup failure for: no-such-host.invalid</strong></p><p />";
    let dns = concluded(500, &[HTML], page).await;
    assert_eq!((dns.cause(), dns.processed()), (Cause::DnsError, Processed::Unlikely));
    // Who wrote these cannot be known, so they are not said to be an application's.
    for (kind, body) in [(TEXT, "Internal Server Error"), (HTML, "<h1>Server Error (500)</h1>")] {
        let unknown = concluded(500, &[kind], body).await;
        assert_eq!((unknown.cause(), unknown.reporter()), (Cause::Unknown, Reporter::Unknown));
    }
}

#[tokio::test]
async fn application_json_is_origin_error_without_product() {
    for status in [500, 502, 504] {
        let body = r#"{"error":"ledger timed out","code":"LEDGER"}"#;
        let own = concluded(status, &[("server", "nginx/1.22.1"), JSON], body).await;
        assert_eq!(
            (own.cause(), own.reporter()),
            (Cause::OriginError, Reporter::Unknown),
            "{status}"
        );
    }
    let own = concluded(503, &[JSON, ("retry-after", "7")], r#"{"error":"maintenance"}"#).await;
    assert_eq!(own.cause(), Cause::Overloaded);
}

#[tokio::test]
async fn json_about_gateways_is_not_attributed_to_application() {
    for (status, body, cause) in [
        (502, r#"{"statusCode":502,"error":"Bad Gateway","message":"connect"}"#, Cause::BadGateway),
        (502, r#"{"message":"Upstream closed the connection"}"#, Cause::BadGateway),
        (504, r#"{"message":"The PROXY gave up"}"#, Cause::GatewayTimeout),
        (500, r#"{"message":"Internal Server Error"}"#, Cause::Unknown),
    ] {
        let failure = concluded(status, &[JSON], body).await;
        assert_eq!((failure.cause(), failure.reporter()), (cause, Reporter::Unknown), "{body}");
    }
}

#[tokio::test]
async fn server_header_does_not_identify_reporter() {
    for server in ["nginx/1.22.1", "Apache/2.4.71 (Debian)", "envoy", "squid/5.7", "cloudflare"] {
        let bare = concluded(502, &[("server", server), HTML], "<h1>It broke</h1>").await;
        assert_eq!(
            (bare.cause(), bare.reporter()),
            (Cause::BadGateway, Reporter::Unknown),
            "{server}"
        );
    }
}

#[tokio::test]
async fn page_identifies_its_author_and_not_relaying_gateway() {
    for server in
        [&[("server", "envoy")][..], &[("server", "Caddy"), ("server", "nginx/1.18.0")], &[]]
    {
        let nested = concluded(502, &[server, &[HTML]].concat(), NGINX_PAGE).await;
        assert_eq!(nested.reporter(), Reporter::Gateway(Product::Nginx));
        assert_eq!((nested.cause(), nested.processed()), (Cause::BadGateway, Processed::Maybe));
    }
    let text = format!("{ENVOY_RESET}connection termination");
    let nested = concluded(503, &[TEXT, ("via", "1.1 squid")], &text).await;
    assert_eq!(nested.reporter(), Reporter::Gateway(Product::Envoy));
    assert_eq!(nested.cause(), Cause::ConnectionTerminated);
}

#[tokio::test]
async fn nginx_504_does_not_prove_whether_origin_got_request() {
    let page = NGINX_PAGE.replace("502 Bad Gateway", "504 Gateway Time-out");
    let failure = concluded(504, &[HTML], &page).await;
    assert_eq!(failure.processed(), Processed::Maybe);
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::Nginx));
}

#[tokio::test]
async fn nginx_503_is_reported_by_nginx_and_may_be_processed() {
    let page = NGINX_PAGE.replace("502 Bad Gateway", "503 Service Temporarily Unavailable");
    let failure = concluded(503, &[HTML], &page).await;
    assert_eq!((failure.cause(), failure.processed()), (Cause::Overloaded, Processed::Maybe));
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::Nginx));
}

#[tokio::test]
async fn haproxy_error_file_is_recognised_by_text() {
    let text = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n\n";
    let mut response =
        answer(503, &[HTML, ("cache-control", "no-cache"), ("connection", "close")], text);
    *response.version_mut() = http::Version::HTTP_10;
    let failure = failure(&through(BadGatewayClassifierLayer::new(), response).await);
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::HaProxy));
    assert_eq!(failure.processed(), Processed::Maybe);
}

#[tokio::test]
async fn empty_response_is_from_caddy_only_without_other_headers() {
    let own = [("server", "Caddy"), ("content-length", "0"), ("date", "today")];
    let failure = concluded(502, &own, "").await;
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::Caddy));
    for more in [("x-request-id", "7"), HTML, ("via", "1.1 Caddy"), ("server", "app")] {
        let relayed = concluded(502, &[&own[..], &[more]].concat(), "").await;
        assert_eq!(relayed.reporter(), Reporter::Unknown, "{more:?}");
    }
}

#[tokio::test]
async fn squid_read_error_has_cause_only_with_errno() {
    let reset = concluded(502, &[("x-squid-error", "ERR_READ_ERROR 104")], "").await;
    assert_eq!((reset.cause(), reset.processed()), (Cause::ConnectionTerminated, Processed::Maybe));
    // No peer to use, no such name, or a TLS connection that broke off after the request was read.
    let unknown = concluded(502, &[("x-squid-error", "ERR_READ_ERROR 0")], "").await;
    assert_eq!((unknown.cause(), unknown.processed()), (Cause::BadGateway, Processed::Maybe));
}

#[tokio::test]
async fn envoy_page_gives_cause_with_or_without_transport_reason() {
    use Processed::{Maybe, Unlikely};
    for (reason, cause, processed) in [
        ("remote connection failure", Cause::DestinationUnavailable, Unlikely),
        ("connection timeout", Cause::ConnectionTimeout, Unlikely),
        ("overflow", Cause::ConnectionLimitReached, Unlikely),
        // As builds write that do not say when they have tried more than once.
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
        let failure = concluded(503, &[TEXT], &format!("{ENVOY_RESET}{reason}")).await;
        assert_eq!((failure.cause(), failure.processed()), (cause, processed), "{reason}");
    }
}

#[tokio::test]
async fn request_resent_by_gateway_may_be_processed() {
    let again = "upstream connect error or disconnect/reset before headers. \
        retried and the latest reset reason: ";
    for (reason, cause) in [
        ("remote connection failure", Cause::DestinationUnavailable),
        ("connection timeout", Cause::ConnectionTimeout),
        ("overflow", Cause::BadGateway),
    ] {
        let headers = [TEXT, ("x-envoy-overloaded", "true")];
        let failure = concluded(503, &headers, &format!("{again}{reason}")).await;
        assert_eq!((failure.cause(), failure.processed()), (cause, Processed::Maybe), "{reason}");
    }
    // Said as well when its own try has driven out the last host.
    let ejected = concluded(503, &[TEXT], "no healthy upstream").await;
    assert_eq!(ejected.processed(), Processed::Maybe);
}

#[tokio::test]
async fn quoted_page_is_not_taken_as_gateway_page() {
    let nginx = NGINX_PAGE.replace("502 Bad Gateway", "503 Service Temporarily Unavailable");
    let envoy = format!("{ENVOY_RESET}remote connection failure");
    let apache = "<p>Reason: <strong>DNS lookup failure for: x".to_owned();
    for (status, page) in [(503, nginx), (503, envoy), (500, apache)] {
        let quoted =
            serde_json::json!({ "error": "stored, then the inventory said", "said": page });
        let failure = concluded(status, &[JSON], &quoted.to_string()).await;
        assert_eq!(
            (failure.reporter(), failure.processed()),
            (Reporter::Unknown, Processed::Maybe)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn conclusion_from_whole_body_is_not_drawn_from_prefix() {
    let of_h2o = [("server", "h2o/2.2.5"), TEXT];
    let whole = concluded(502, &of_h2o, "connection failed").await;
    assert_eq!(whole.cause(), Cause::ConnectionRefused);
    for (headers, start, rest) in [
        (of_h2o, "connection failed", " after the card was charged"),
        ([("x-a", "b"), JSON], "{\"error\":\"boom\"", ",\"by\":\"the gateway\"}"),
    ] {
        let mut response = answer(502, &headers, "");
        let steps = [Step::Data(start.into()), Step::Stall, Step::Data(rest.into())];
        *response.body_mut() = Steps::new(steps);
        let stalled = failure(&through(BadGatewayClassifierLayer::new(), response).await);
        assert_eq!((stalled.cause(), stalled.processed()), (Cause::BadGateway, Processed::Maybe));
        let layer = BadGatewayClassifierLayer::new().max_peek_bytes(start.len());
        let cut = failure(&through(layer, answer(502, &headers, &format!("{start}{rest}"))).await);
        assert_eq!((cut.cause(), cut.processed()), (Cause::BadGateway, Processed::Maybe));
    }
}

#[tokio::test]
async fn status_500_with_unreadable_body_has_unknown_cause() {
    let gzip = ("content-encoding", "gzip");
    for (headers, body) in
        [(&[HTML][..], ""), (&[gzip, HTML], "x"), (&[("content-type", "image/png")], "x")]
    {
        let failure = concluded(500, headers, body).await;
        assert_eq!(failure.cause(), Cause::Unknown, "{headers:?}");
    }
    let layer = BadGatewayClassifierLayer::new().max_peek_bytes(0);
    let unread = failure(&through(layer, answer(500, &[TEXT], "Internal Server Error")).await);
    assert_eq!(unread.cause(), Cause::Unknown);
}

#[tokio::test]
async fn common_numbers_and_shapes_are_not_fingerprints() {
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
        let failure = concluded(status, headers, body).await;
        assert_eq!(failure.reporter(), Reporter::Unknown, "{body}");
        assert!(!matches!(failure.cause(), Cause::OriginError | Cause::DnsError), "{body}");
    }
}
