//! Classification by `Proxy-Status` and by vendor headers.

use std::time::Duration;

use proptest::prelude::*;
use seawall::{
    Cause, Failure, Processed, Product, Reporter,
    bad_gateway::{BadGatewayClassifierLayer, Evidence},
};

use super::{ClassifiedResponse, classify, classify_with, failure, upstream_response};

async fn with_proxy_status(values: &[&str]) -> ClassifiedResponse {
    let headers: Vec<_> = values.iter().map(|value| ("proxy-status", *value)).collect();
    classify_with(BadGatewayClassifierLayer::new(), upstream_response(502, &headers, "")).await
}

async fn classify_proxy_status(value: &str) -> (Cause, Reporter, Processed) {
    let failure = failure(&with_proxy_status(&[value]).await);
    (failure.cause(), failure.reporter(), failure.processed())
}

const OTHER: Reporter = Reporter::Gateway(Product::Other);

#[tokio::test]
async fn proxy_status_determines_cause() {
    for (value, cause, processed) in [
        ("edge;error=connection_refused", Cause::ConnectionRefused, Processed::Unlikely),
        ("edge;error=dns_error;rcode=NXDOMAIN", Cause::DnsError, Processed::Unlikely),
        ("edge; error=http_response_timeout", Cause::HttpResponseTimeout, Processed::Maybe),
        (
            r#""edge.example";error=tls_certificate_error"#,
            Cause::TlsCertificateError,
            Processed::Unlikely,
        ),
        // An alert can follow the handshake.
        ("edge;error=tls_alert_received", Cause::TlsAlertReceived, Processed::Maybe),
        ("edge;error=connection_terminated", Cause::ConnectionTerminated, Processed::Maybe),
        // The upstream returned a response.
        (
            "edge;error=connection_refused;received-status=503",
            Cause::ConnectionRefused,
            Processed::Maybe,
        ),
    ] {
        assert_eq!(classify_proxy_status(value).await, (cause, OTHER, processed), "{value}");
    }
}

#[tokio::test]
async fn error_member_nearest_origin_takes_precedence() {
    let value = "inner;received-status=200, middle;error=connection_terminated, edge;error=connection_timeout";
    // The inner proxy received a response, so the origin received the request.
    assert_eq!(
        classify_proxy_status(value).await,
        (Cause::ConnectionTerminated, OTHER, Processed::Maybe)
    );
    let two_lines =
        with_proxy_status(&["middle;error=connection_refused", "edge;error=connection_timeout"])
            .await;
    assert_eq!(failure(&two_lines).cause(), Cause::ConnectionRefused);
    let evidence = two_lines.extensions().get::<Evidence>().unwrap();
    assert_eq!(evidence.proxy_status().unwrap().proxy(), "middle");
}

#[tokio::test]
async fn proxy_status_name_identifies_product() {
    for (name, product) in [
        ("nginx", Product::Nginx),
        ("ENVOY", Product::Envoy),
        ("\"Google Front End\"", Product::Google),
    ] {
        let (_, reporter, _) = classify_proxy_status(&format!("{name};error=dns_error")).await;
        assert_eq!(reporter, Reporter::Gateway(product));
    }
    let (_, reporter, _) = classify_proxy_status("not-nginx;error=dns_error").await;
    assert_eq!(reporter, OTHER);
}

#[tokio::test]
async fn proxy_status_keeps_unregistered_error_type_as_text() {
    let response =
        with_proxy_status(&[r#"edge;error=flux_exhausted;details="capacitor 3 of 4""#]).await;
    let failure = failure(&response);
    assert_eq!((failure.cause(), failure.reporter()), (Cause::BadGateway, OTHER));
    let proxy_status = response.extensions().get::<Evidence>().unwrap().proxy_status().unwrap();
    assert_eq!(proxy_status.error(), Some("flux_exhausted"));
    assert_eq!(proxy_status.details(), Some("capacitor 3 of 4"));
    // Causes that seawall adds are not registered error types.
    let (cause, ..) = classify_proxy_status("edge;error=circuit_open").await;
    assert_eq!(cause, Cause::BadGateway);
}

#[tokio::test]
async fn proxy_status_without_error_determines_no_cause() {
    let response = with_proxy_status(&["edge;received-status=502"]).await;
    let failure = failure(&response);
    assert_eq!((failure.cause(), failure.reporter()), (Cause::BadGateway, Reporter::Unknown));
    let proxy_status = response.extensions().get::<Evidence>().unwrap().proxy_status().unwrap();
    assert_eq!(
        (proxy_status.proxy(), proxy_status.received_status(), proxy_status.error()),
        ("edge", Some(502), None)
    );
}

#[tokio::test]
async fn layer_ignores_invalid_proxy_status() {
    for value in [
        "edge;error=",
        "edge;error=dns_error,",
        "edge;;error=dns_error",
        "\"edge",
        "é;error=dns_error",
        "",
    ] {
        let expected = (Cause::BadGateway, Reporter::Unknown, Processed::Maybe);
        assert_eq!(classify_proxy_status(value).await, expected, "{value}");
    }
    let long = format!("edge;error=dns_error;details=\"{}\"", "x".repeat(64 * 1024));
    assert_eq!(classify_proxy_status(&long).await.0, Cause::BadGateway);
    let (cause, reporter, _) =
        classify_proxy_status("7;error=dns_error, (a b);error=dns_error").await;
    assert_eq!((cause, reporter), (Cause::BadGateway, Reporter::Unknown));
}

#[tokio::test]
async fn layer_truncates_details_of_proxy_status() {
    let response =
        with_proxy_status(&[&format!("edge;error=dns_error;details=\"{}\"", "x".repeat(5_000))])
            .await;
    let proxy_status = response.extensions().get::<Evidence>().unwrap().proxy_status().unwrap();
    assert_eq!(proxy_status.details().unwrap().len(), 256);
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
        let response =
            classify_with(BadGatewayClassifierLayer::new(), upstream_response(status, headers, ""))
                .await;
        let failure = failure(&response);
        let classified = (failure.cause(), failure.reporter(), failure.processed());
        assert_eq!(
            classified,
            (cause, Reporter::Gateway(product), processed),
            "{status} {headers:?}"
        );
        assert!(!response.extensions().get::<Evidence>().unwrap().is_verified());
    }
    // Cloudflare adds `cf-ray` to relayed responses too.
    let relayed = classify(502, &ray, "").await;
    assert_eq!(relayed.reporter(), Reporter::Unknown);
}

#[tokio::test]
async fn layer_recognizes_api_rejections_by_json() {
    let json = ("content-type", "application/json");
    let overloaded =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let failure = classify(529, &[json, ("retry-after-ms", "1500")], overloaded).await;
    assert_eq!((failure.cause(), failure.reporter()), (Cause::Overloaded, Reporter::Unknown));
    assert_eq!(failure.processed(), Processed::Unlikely);
    assert_eq!(failure.retry_after(), Some(Duration::from_millis(1_500)));
    let limited = r#"{"type":"error","error":{"type":"rate_limit_error"}}"#;
    let failure = classify(429, &[json, ("x-should-retry", "true")], limited).await;
    assert_eq!((failure.cause(), failure.processed()), (Cause::RateLimited, Processed::Unlikely));
    assert_eq!(failure.retry_hint(), Some(true));
}

#[tokio::test]
async fn layer_keeps_failure_of_inner_layer() {
    let inner = Failure::new(Cause::ProxyLoopDetected).with_reporter(Reporter::Local);
    let mut response = upstream_response(502, &[("proxy-status", "edge;error=dns_error")], "");
    response.extensions_mut().insert(inner);
    let response = classify_with(BadGatewayClassifierLayer::new(), response).await;
    assert_eq!(failure(&response), inner);
    assert!(response.extensions().get::<Evidence>().is_none());
}

#[tokio::test]
async fn layer_classifies_unrecognized_response_by_status() {
    for (status, cause, processed) in [
        (404, Cause::ClientError, Processed::Maybe),
        (408, Cause::RequestTimeout, Processed::Maybe),
        (429, Cause::RateLimited, Processed::Unlikely),
        (501, Cause::OriginError, Processed::Maybe),
        (502, Cause::BadGateway, Processed::Maybe),
        (503, Cause::Overloaded, Processed::Maybe),
        (504, Cause::GatewayTimeout, Processed::Maybe),
    ] {
        let response = classify_with(
            BadGatewayClassifierLayer::new(),
            upstream_response(status, &[], "what?"),
        )
        .await;
        let failure = failure(&response);
        assert_eq!((failure.cause(), failure.processed()), (cause, processed), "{status}");
        assert_eq!(failure.reporter(), Reporter::Unknown);
        assert!(response.extensions().get::<Evidence>().is_none());
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
        let mut response = upstream_response(status, &[], "");
        for (name, value) in headers {
            if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                response.headers_mut().append(name, value);
            }
        }
        let step = crate::support::Step::Data(body.into());
        *response.body_mut() = crate::support::ScriptedBody::new([step]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let response = runtime.block_on(classify_with(BadGatewayClassifierLayer::new(), response));
        prop_assert_ne!(failure(&response).processed(), Processed::No);
    }
}
