//! What makes one draw a false conclusion.

use seawall::{BadGatewayClassifierLayer, Cause, Failure, Processed, Product, Reporter};

use super::{answer, concluded, failure, through};

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
async fn nginx_refuses_with_503_what_goes_beyond_its_limits() {
    let page = NGINX_PAGE.replace("502 Bad Gateway", "503 Service Temporarily Unavailable");
    let failure = concluded(503, &[HTML], &page).await;
    assert_eq!((failure.cause(), failure.processed()), (Cause::Overloaded, Processed::Unlikely));
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
async fn squids_read_error_means_the_opposite_without_a_number() {
    let reset = concluded(502, &[("x-squid-error", "ERR_READ_ERROR 104")], "").await;
    assert_eq!((reset.cause(), reset.processed()), (Cause::ConnectionTerminated, Processed::Maybe));
    let no_peer = concluded(502, &[("x-squid-error", "ERR_READ_ERROR 0")], "").await;
    let expected = (Cause::DestinationUnavailable, Processed::Unlikely);
    assert_eq!((no_peer.cause(), no_peer.processed()), expected);
}

#[tokio::test]
async fn envoy_tells_the_cause_with_a_transport_reason_or_without() {
    for (reason, cause) in [
        ("remote connection failure", Cause::DestinationUnavailable),
        (
            "connection failure, transport failure reason: delayed connect error: 111",
            Cause::ConnectionRefused,
        ),
        (
            "remote connection failure, transport failure reason: TLS_error:|268435581:SSL",
            Cause::TlsProtocolError,
        ),
        ("connection timeout", Cause::ConnectionTimeout),
        ("overflow", Cause::ConnectionLimitReached),
    ] {
        let failure = concluded(503, &[TEXT], &format!("{ENVOY_RESET}{reason}")).await;
        assert_eq!(
            (failure.cause(), failure.processed()),
            (cause, Processed::Unlikely),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn what_a_gateway_sent_more_than_once_may_have_been_processed() {
    let text = "upstream connect error or disconnect/reset before headers. \
        retried and the latest reset reason: remote connection failure";
    let failure = concluded(503, &[TEXT], text).await;
    assert_eq!(failure.cause(), Cause::DestinationUnavailable);
    assert_eq!(failure.processed(), Processed::Maybe);
}

#[tokio::test]
async fn what_envoy_relays_as_json_is_the_origins() {
    let headers = [JSON, ("x-envoy-upstream-service-time", "3")];
    let failure = concluded(500, &headers, r#"{"error":"boom"}"#).await;
    assert_eq!((failure.cause(), failure.reporter()), (Cause::OriginError, Reporter::Origin));
}
