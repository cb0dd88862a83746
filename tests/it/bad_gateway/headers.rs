//! Conclusions from headers: `Proxy-Status`, and those of vendors.

use std::time::Duration;

use proptest::prelude::*;
use seawall::{
    BadGatewayClassifierLayer, Cause, Failure, Processed, Product, Reporter, bad_gateway::Evidence,
};

use super::{Answer, answer, concluded, failure, through};

async fn said(fields: &[&str]) -> Answer {
    let headers: Vec<_> = fields.iter().map(|field| ("proxy-status", *field)).collect();
    through(BadGatewayClassifierLayer::new(), answer(502, &headers, "")).await
}

async fn said_in_short(field: &str) -> (Cause, Reporter, Processed) {
    let failure = failure(&said(&[field]).await);
    (failure.cause(), failure.reporter(), failure.processed())
}

const OTHER: Reporter = Reporter::Gateway(Product::Other);

#[tokio::test]
async fn proxy_status_names_the_cause() {
    for (field, cause, processed) in [
        ("edge;error=connection_refused", Cause::ConnectionRefused, Processed::Unlikely),
        ("edge;error=dns_error;rcode=NXDOMAIN", Cause::DnsError, Processed::Unlikely),
        ("edge; error=http_response_timeout", Cause::HttpResponseTimeout, Processed::Maybe),
        (
            r#""edge.example";error=tls_certificate_error"#,
            Cause::TlsCertificateError,
            Processed::Unlikely,
        ),
        // After the handshake as well.
        ("edge;error=tls_alert_received", Cause::TlsAlertReceived, Processed::Maybe),
        ("edge;error=connection_terminated", Cause::ConnectionTerminated, Processed::Maybe),
        // Something came back.
        (
            "edge;error=connection_refused;received-status=503",
            Cause::ConnectionRefused,
            Processed::Maybe,
        ),
    ] {
        assert_eq!(said_in_short(field).await, (cause, OTHER, processed), "{field}");
    }
}

#[tokio::test]
async fn member_with_error_nearest_origin_takes_precedence() {
    let fields = "inner;received-status=200, middle;error=connection_terminated, edge;error=connection_timeout";
    // The one in the middle had an answer, so the origin had the request.
    assert_eq!(said_in_short(fields).await, (Cause::ConnectionTerminated, OTHER, Processed::Maybe));
    let lines = said(&["middle;error=connection_refused", "edge;error=connection_timeout"]).await;
    assert_eq!(failure(&lines).cause(), Cause::ConnectionRefused);
    let evidence = lines.extensions().get::<Evidence>().unwrap();
    assert_eq!(evidence.proxy_status().unwrap().proxy(), "middle");
}

#[tokio::test]
async fn proxy_status_name_identifies_product() {
    for (name, product) in [
        ("nginx", Product::Nginx),
        ("ENVOY", Product::Envoy),
        ("\"Google Front End\"", Product::Google),
    ] {
        let (_, reporter, _) = said_in_short(&format!("{name};error=dns_error")).await;
        assert_eq!(reporter, Reporter::Gateway(product));
    }
    let (_, reporter, _) = said_in_short("not-nginx;error=dns_error").await;
    assert_eq!(reporter, OTHER);
}

#[tokio::test]
async fn unregistered_error_type_is_kept_as_text() {
    let answer = said(&[r#"edge;error=flux_exhausted;details="capacitor 3 of 4""#]).await;
    let failure = failure(&answer);
    assert_eq!((failure.cause(), failure.reporter()), (Cause::BadGateway, OTHER));
    let said = answer.extensions().get::<Evidence>().unwrap().proxy_status().unwrap();
    assert_eq!(said.error(), Some("flux_exhausted"));
    assert_eq!(said.details(), Some("capacitor 3 of 4"));
    // Causes of ours are no error types, whoever sends them.
    let (cause, ..) = said_in_short("edge;error=circuit_open").await;
    assert_eq!(cause, Cause::BadGateway);
}

#[tokio::test]
async fn proxy_status_without_error_is_only_evidence() {
    let answer = said(&["edge;received-status=502"]).await;
    let failure = failure(&answer);
    assert_eq!((failure.cause(), failure.reporter()), (Cause::BadGateway, Reporter::Unknown));
    let said = answer.extensions().get::<Evidence>().unwrap().proxy_status().unwrap();
    assert_eq!((said.proxy(), said.received_status(), said.error()), ("edge", Some(502), None));
}

#[tokio::test]
async fn invalid_field_is_ignored_entirely() {
    for field in [
        "edge;error=",
        "edge;error=dns_error,",
        "edge;;error=dns_error",
        "\"edge",
        "é;error=dns_error",
        "",
    ] {
        let expected = (Cause::BadGateway, Reporter::Unknown, Processed::Maybe);
        assert_eq!(said_in_short(field).await, expected, "{field}");
    }
    let long = format!("edge;error=dns_error;details=\"{}\"", "x".repeat(64 * 1024));
    assert_eq!(said_in_short(&long).await.0, Cause::BadGateway);
    let (cause, reporter, _) = said_in_short("7;error=dns_error, (a b);error=dns_error").await;
    assert_eq!((cause, reporter), (Cause::BadGateway, Reporter::Unknown));
}

#[tokio::test]
async fn proxy_status_texts_are_truncated() {
    let answer = said(&[&format!("edge;error=dns_error;details=\"{}\"", "x".repeat(5_000))]).await;
    let said = answer.extensions().get::<Evidence>().unwrap().proxy_status().unwrap();
    assert_eq!(said.details().unwrap().len(), 256);
}

#[tokio::test]
async fn vendor_statuses_and_headers_determine_cause() {
    use Processed::{Maybe, Unlikely};
    let ray = [("cf-ray", "8f00")];
    let alb = [("server", "awselb/2.0")];
    let vercel = [("x-vercel-error", "FUNCTION_INVOCATION_TIMEOUT")];
    for (status, headers, cause, product, processed) in [
        (520, &ray[..], Cause::BadGateway, Product::Cloudflare, Maybe),
        (521, &ray, Cause::ConnectionRefused, Product::Cloudflare, Unlikely),
        (522, &ray, Cause::ConnectionTimeout, Product::Cloudflare, Maybe),
        (523, &ray, Cause::DestinationIpUnroutable, Product::Cloudflare, Unlikely),
        (524, &ray, Cause::HttpResponseTimeout, Product::Cloudflare, Maybe),
        (525, &ray, Cause::TlsProtocolError, Product::Cloudflare, Unlikely),
        (526, &ray, Cause::TlsCertificateError, Product::Cloudflare, Unlikely),
        (502, &alb, Cause::BadGateway, Product::AwsAlb, Maybe),
        (503, &alb, Cause::DestinationUnavailable, Product::AwsAlb, Unlikely),
        (504, &alb, Cause::GatewayTimeout, Product::AwsAlb, Maybe),
        (504, &vercel, Cause::HttpResponseTimeout, Product::Vercel, Maybe),
    ] {
        let answer = through(BadGatewayClassifierLayer::new(), answer(status, headers, "")).await;
        let failure = failure(&answer);
        let met = (failure.cause(), failure.reporter(), failure.processed());
        assert_eq!(met, (cause, Reporter::Gateway(product), processed), "{status} {headers:?}");
        assert!(!answer.extensions().get::<Evidence>().unwrap().is_verified());
    }
    // On what Cloudflare relays there is a ray as well.
    let relayed = concluded(502, &ray, "").await;
    assert_eq!(relayed.reporter(), Reporter::Unknown);
}

#[tokio::test]
async fn api_rejections_are_recognised_by_json() {
    let json = ("content-type", "application/json");
    let overloaded =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let failure = concluded(529, &[json, ("retry-after-ms", "1500")], overloaded).await;
    assert_eq!((failure.cause(), failure.reporter()), (Cause::Overloaded, Reporter::Unknown));
    assert_eq!(failure.processed(), Processed::Unlikely);
    assert_eq!(failure.retry_after(), Some(Duration::from_millis(1_500)));
    let limited = r#"{"type":"error","error":{"type":"rate_limit_error"}}"#;
    let failure = concluded(429, &[json, ("x-should-retry", "true")], limited).await;
    assert_eq!((failure.cause(), failure.processed()), (Cause::RateLimited, Processed::Unlikely));
    assert_eq!(failure.retry_hint(), Some(true));
}

#[tokio::test]
async fn failure_of_inner_layer_is_kept() {
    let inner = Failure::new(Cause::ProxyLoopDetected).with_reporter(Reporter::Local);
    let mut response = answer(502, &[("proxy-status", "edge;error=dns_error")], "");
    response.extensions_mut().insert(inner);
    let answer = through(BadGatewayClassifierLayer::new(), response).await;
    assert_eq!(failure(&answer), inner);
    assert!(answer.extensions().get::<Evidence>().is_none());
}

#[tokio::test]
async fn unrecognised_response_is_classified_by_status() {
    for (status, cause, processed) in [
        (404, Cause::ClientError, Processed::Maybe),
        (408, Cause::RequestTimeout, Processed::Maybe),
        (429, Cause::RateLimited, Processed::Unlikely),
        (501, Cause::OriginError, Processed::Maybe),
        (502, Cause::BadGateway, Processed::Maybe),
        (503, Cause::Overloaded, Processed::Maybe),
        (504, Cause::GatewayTimeout, Processed::Maybe),
    ] {
        let answer = through(BadGatewayClassifierLayer::new(), answer(status, &[], "what?")).await;
        let failure = failure(&answer);
        assert_eq!((failure.cause(), failure.processed()), (cause, processed), "{status}");
        assert_eq!(failure.reporter(), Reporter::Unknown);
        assert!(answer.extensions().get::<Evidence>().is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn headers_do_not_panic_or_prove_request_unprocessed(
        status in 400_u16..1000,
        headers in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "proxy-status", "server", "via", "retry-after", "x-squid-error", "cf-ray",
                    "content-type", "x-envoy-overloaded", "x-amzn-errortype",
                ]),
                prop::collection::vec(prop::sample::select(
                    b"edge;error=dns_error, \"\\(:?=1.5)\x80\xff\t@%ERR_CONNECT_FAIL 111".to_vec(),
                ), 0..40),
            ),
            0..5,
        ),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut response = answer(status, &[], "");
        for (name, value) in headers {
            if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                response.headers_mut().append(name, value);
            }
        }
        let step = crate::support::Step::Data(body.into());
        *response.body_mut() = crate::support::Steps::new([step]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(through(BadGatewayClassifierLayer::new(), response));
        prop_assert_ne!(failure(&answer).processed(), Processed::No);
    }
}
