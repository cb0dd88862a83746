//! Tests of `Failure`, `Cause` and `Reporter`: tokens, texts and statuses are complete and unique.

use std::{collections::BTreeSet, error::Error, io, time::Duration};

use http::StatusCode;
use seawall::{
    BoxError, Cause, Failure, ParseCauseError, Processed, Product, Reporter, find_source,
};

/// The error types of RFC 9209 §2.3.1 to §2.3.32 and their recommended statuses.
///
/// The RFC does not fix the statuses of `proxy_internal_response` and `http_request_error`.
const REGISTERED: [(&str, u16); 32] = [
    ("dns_timeout", 504),
    ("dns_error", 502),
    ("destination_not_found", 500),
    ("destination_unavailable", 503),
    ("destination_ip_prohibited", 502),
    ("destination_ip_unroutable", 502),
    ("connection_refused", 502),
    ("connection_terminated", 502),
    ("connection_timeout", 504),
    ("connection_read_timeout", 504),
    ("connection_write_timeout", 504),
    ("connection_limit_reached", 503),
    ("tls_protocol_error", 502),
    ("tls_certificate_error", 502),
    ("tls_alert_received", 502),
    ("http_request_error", 400),
    ("http_request_denied", 403),
    ("http_response_incomplete", 502),
    ("http_response_header_section_size", 502),
    ("http_response_header_size", 502),
    ("http_response_body_size", 502),
    ("http_response_trailer_section_size", 502),
    ("http_response_trailer_size", 502),
    ("http_response_transfer_coding", 502),
    ("http_response_content_coding", 502),
    ("http_response_timeout", 504),
    ("http_upgrade_failed", 502),
    ("http_protocol_error", 502),
    ("proxy_internal_response", 502),
    ("proxy_internal_error", 500),
    ("proxy_configuration_error", 500),
    ("proxy_loop_detected", 502),
];

#[test]
fn each_rfc_9209_error_type_has_cause_and_status() {
    let causes: Vec<_> = Cause::ALL.iter().filter(|cause| cause.is_registered()).collect();
    assert_eq!(causes.len(), REGISTERED.len());
    for (cause, (token, status)) in causes.into_iter().zip(REGISTERED) {
        assert_eq!(cause.as_str(), token);
        assert_eq!(cause.gateway_status().as_u16(), status, "{token}");
    }
}

#[test]
fn own_causes_are_not_registered() {
    for cause in [Cause::RateLimited, Cause::BadGateway, Cause::CircuitOpen, Cause::Unknown] {
        assert!(!cause.is_registered(), "{cause}");
    }
}

#[test]
fn each_cause_parses_from_its_token() {
    for &cause in Cause::ALL {
        assert_eq!(cause.as_str().parse(), Ok(cause));
        assert_eq!(cause.to_string(), cause.as_str());
    }
}

#[test]
fn cause_rejects_invalid_token() {
    for text in ["", "Connection_Refused", "connection refused", "connection_refused ", "\u{0}"] {
        let parsed: Result<Cause, ParseCauseError> = text.parse();
        assert!(parsed.is_err(), "{text:?}");
    }
}

#[test]
fn tokens_are_unique_and_valid_in_structured_fields() {
    let tokens: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    assert_eq!(tokens.len(), Cause::ALL.len());
    for token in tokens {
        assert!(token.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{token}");
    }
}

#[test]
fn each_cause_has_one_sentence_of_advice() {
    let all: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.advice()).collect();
    assert_eq!(all.len(), Cause::ALL.len(), "expected unique advice for each cause");
    for advice in all {
        assert!(advice.ends_with('.') && advice.matches(". ").count() == 0, "{advice}");
    }
}

#[test]
fn each_cause_has_two_to_five_checks_in_sentences() {
    for &cause in Cause::ALL {
        let checks = cause.checks();
        assert!((2..=5).contains(&checks.len()), "{cause}");
        assert_eq!(checks.iter().collect::<BTreeSet<_>>().len(), checks.len(), "{cause}");
        for text in checks.iter().chain([&cause.advice(), &cause.description()]) {
            assert!(text.bytes().all(|b| matches!(b, b' '..=b'~')), "{text}");
            assert!(text.ends_with('.') && text.matches('`').count() % 2 == 0, "{text}");
        }
    }
}

#[test]
fn last_check_states_whether_retry_is_safe() {
    for &cause in Cause::ALL {
        let (last, others) = cause.checks().split_last().unwrap();
        assert!(last.contains("etry"), "{cause}: {last}");
        assert!(!others.iter().any(|check| check.contains("Retry")), "{cause}");
    }
    // A check does not say "safe" if the request may have been processed.
    for cause in [Cause::ConnectionTerminated, Cause::HttpResponseTimeout, Cause::BadGateway] {
        let last = cause.checks().last().unwrap();
        assert!(last.contains("idempotent") && !last.contains("safe"), "{cause}: {last}");
    }
    assert!(Cause::ConnectionRefused.checks().last().unwrap().contains("safe"));
    assert!(Cause::RateLimited.checks().last().unwrap().contains("wait"));
}

#[test]
fn descriptions_are_unique() {
    let all: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.description()).collect();
    assert_eq!(all.len(), Cause::ALL.len());
}

#[test]
fn each_cause_has_error_status() {
    for &cause in Cause::ALL {
        assert!(cause.gateway_status().as_u16() >= 400, "{cause}");
    }
}

#[test]
fn failure_is_small_and_keeps_its_fields() {
    const { assert!(size_of::<Failure>() <= 48) };
    let wait = Some(Duration::from_secs(3));
    let failure = Failure::new(Cause::RateLimited)
        .with_reporter(Reporter::Origin)
        .with_processed(Processed::Unlikely)
        .with_status(StatusCode::TOO_MANY_REQUESTS)
        .with_retry_after(wait)
        .with_retry_hint(Some(true));
    assert_eq!(failure.cause(), Cause::RateLimited);
    assert_eq!(failure.reporter(), Reporter::Origin);
    assert_eq!(failure.processed(), Processed::Unlikely);
    assert_eq!(failure.status(), Some(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(failure.retry_after(), wait);
    assert_eq!(failure.retry_hint(), Some(true));
}

#[test]
fn new_failure_has_unknown_fields() {
    let failure = Failure::new(Cause::BadGateway);
    assert_eq!(failure.reporter(), Reporter::Unknown);
    assert_eq!(failure.processed(), Processed::Maybe);
    assert_eq!((failure.status(), failure.retry_after(), failure.retry_hint()), (None, None, None));
}

#[test]
fn failure_displays_as_one_line() {
    let failure = Failure::new(Cause::ConnectionRefused);
    let text = |failure: Failure| failure.to_string();
    assert_eq!(text(failure), "connection refused (may have been processed)");
    assert_eq!(
        text(failure.with_reporter(Reporter::Local).with_processed(Processed::No)),
        "connection refused (detected locally; not processed)",
    );
    assert_eq!(
        text(Failure::new(Cause::BadGateway).with_status(StatusCode::BAD_GATEWAY)),
        "bad gateway (status 502; may have been processed)",
    );
    assert_eq!(
        text(
            Failure::new(Cause::OriginError)
                .with_reporter(Reporter::Origin)
                .with_status(StatusCode::INTERNAL_SERVER_ERROR)
                .with_processed(Processed::Yes)
        ),
        "origin error (reported by the origin, status 500; processed)",
    );
}

#[test]
fn reporters_and_products_have_unique_names() {
    let mut names: BTreeSet<_> = Product::ALL.iter().map(|product| product.as_str()).collect();
    assert_eq!(names.len(), Product::ALL.len());
    assert_eq!(Reporter::Gateway(Product::HaProxy).to_string(), "HAProxy");
    names.extend([Reporter::Local, Reporter::Origin, Reporter::Unknown].map(Reporter::as_str));
    assert_eq!(names.len(), Product::ALL.len() + 3);
}

/// An error that wraps another one, as libraries do.
#[derive(Debug)]
struct Wrapper(BoxError);

impl std::fmt::Display for Wrapper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("wrapper")
    }
}

impl Error for Wrapper {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

#[test]
fn find_source_searches_any_depth_and_io_errors() {
    let failure = Failure::new(Cause::Overloaded);
    let deep: BoxError = Wrapper(io::Error::other(Wrapper(failure.into())).into()).into();
    assert_eq!(find_source::<Failure>(&*deep), Some(&failure));
    assert!(find_source::<Wrapper>(&*deep).is_some());
    assert!(find_source::<ParseCauseError>(&*deep).is_none());
}

/// An error that is its own source.
#[derive(Debug)]
struct CyclicError;

impl std::fmt::Display for CyclicError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cyclic")
    }
}

impl Error for CyclicError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn source_walk_terminates_when_chain_is_cyclic() {
    assert!(find_source::<Failure>(&CyclicError).is_none());
    assert_eq!(seawall::classify::classify_error(&CyclicError).cause(), Cause::Unknown);
}
