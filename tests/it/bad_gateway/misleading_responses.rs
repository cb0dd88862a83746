//! What makes one draw a false conclusion.

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
async fn a_failure_that_arrives_as_a_200_is_a_success_at_its_head() {
    let answer = answer(200, &[("x-transformed-from", "HTTP/0.9")], "garbage\r\n");
    let answer = through(BadGatewayClassifierLayer::new(), answer).await;
    assert_eq!(answer.extensions().get::<Failure>(), None);
}

#[tokio::test]
async fn a_500_may_be_that_of_a_gateway() {
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
async fn an_applications_own_json_is_its_own_error_and_names_nobody() {
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
async fn json_that_speaks_of_gateways_is_not_taken_for_an_applications() {
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
async fn a_server_header_names_nobody() {
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
async fn a_page_names_the_gateway_that_wrote_it_not_the_one_that_relayed_it() {
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
async fn a_504_of_nginx_is_no_proof_that_the_origin_got_the_request_nor_that_it_did_not() {
    let page = NGINX_PAGE.replace("502 Bad Gateway", "504 Gateway Time-out");
    let failure = concluded(504, &[HTML], &page).await;
    assert_eq!(failure.processed(), Processed::Maybe);
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::Nginx));
}

#[tokio::test]
async fn a_503_of_nginx_is_its_own_but_may_stand_for_the_origins() {
    let page = NGINX_PAGE.replace("502 Bad Gateway", "503 Service Temporarily Unavailable");
    let failure = concluded(503, &[HTML], &page).await;
    assert_eq!((failure.cause(), failure.processed()), (Cause::Overloaded, Processed::Maybe));
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::Nginx));
}

#[tokio::test]
async fn an_error_file_of_haproxy_is_known_by_its_text() {
    let text = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n\n";
    let mut response =
        answer(503, &[HTML, ("cache-control", "no-cache"), ("connection", "close")], text);
    *response.version_mut() = http::Version::HTTP_10;
    let failure = failure(&through(BadGatewayClassifierLayer::new(), response).await);
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::HaProxy));
    assert_eq!(failure.processed(), Processed::Maybe);
}

#[tokio::test]
async fn an_empty_answer_is_caddys_own_only_if_nothing_else_is_on_it() {
    let own = [("server", "Caddy"), ("content-length", "0"), ("date", "today")];
    let failure = concluded(502, &own, "").await;
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::Caddy));
    for more in [("x-request-id", "7"), HTML, ("via", "1.1 Caddy"), ("server", "app")] {
        let relayed = concluded(502, &[&own[..], &[more]].concat(), "").await;
        assert_eq!(relayed.reporter(), Reporter::Unknown, "{more:?}");
    }
}

#[tokio::test]
async fn squids_read_error_says_what_it_was_only_with_a_number() {
    let reset = concluded(502, &[("x-squid-error", "ERR_READ_ERROR 104")], "").await;
    assert_eq!((reset.cause(), reset.processed()), (Cause::ConnectionTerminated, Processed::Maybe));
    // No peer to use, no such name, or a TLS connection that broke off after the request was read.
    let unknown = concluded(502, &[("x-squid-error", "ERR_READ_ERROR 0")], "").await;
    assert_eq!((unknown.cause(), unknown.processed()), (Cause::BadGateway, Processed::Maybe));
}

#[tokio::test]
async fn envoy_tells_the_cause_with_a_transport_reason_or_without() {
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
async fn what_a_gateway_sent_more_than_once_may_have_been_processed() {
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
async fn a_page_that_an_application_quotes_is_not_taken_for_first_hand() {
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
async fn what_is_concluded_of_a_whole_body_is_not_concluded_of_its_beginning() {
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
async fn a_500_whose_body_cannot_be_read_is_nobodys() {
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
async fn numbers_and_shapes_that_others_write_too_are_no_fingerprints() {
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
