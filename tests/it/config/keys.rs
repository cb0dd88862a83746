//! What each key does: the same as the setter of its name.

use std::num::NonZeroU32;

use http::{HeaderName, Method};
use seawall::{
    Ratio,
    bad_gateway::BadGatewayClassifierLayer,
    circuit_breaker::CircuitBreakerLayer,
    deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader},
    in_flight::{AdaptiveLimit, InFlightLimitLayer},
    logging::{Level, LoggingLayer},
    retry::{Backoff, Budget, RetryLayer, by_authority},
    standard::Timeouts,
};

use super::*;

pub(super) fn base() -> StandardLayer {
    StandardLayer::new("test")
}

/// The stacks of all policies, with all their settings but what chance is seeded with.
pub(super) fn stack(base: StandardLayer, config: Config) -> String {
    let shown = format!("{:#?}", ConfiguredLayer::new(base, config));
    shown.lines().filter(|line| !line.trim().starts_with("seed: ")).collect::<Vec<_>>().join("\n")
}

/// The settings of a stack that was made by setters, as that of a policy which says nothing.
#[track_caller]
fn same(key: &str, by_setter: StandardLayer) {
    let text = format!("[default]\n{key}");
    let (by_key, by_setter) = (stack(base(), config(&text)), stack(by_setter, Config::default()));
    assert!(by_key == by_setter, "{text}\n{by_key}\n{by_setter}");
    assert!(by_key != stack(base(), Config::default()), "{text} changes nothing");
}

fn retry(key: &str, set: impl FnOnce(RetryLayer) -> RetryLayer) {
    same(&format!("retry.{key}"), base().retry(set(RetryLayer::new())));
}

fn breaker(key: &str, set: impl FnOnce(CircuitBreakerLayer) -> CircuitBreakerLayer) {
    let key = format!("circuit_breaker.{key}");
    same(&key, base().circuit_breaker(set(CircuitBreakerLayer::new())));
}

fn logging(key: &str, set: impl FnOnce(LoggingLayer) -> LoggingLayer) {
    same(&format!("logging.{key}"), base().logging(set(LoggingLayer::client())));
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn number(calls: u32) -> NonZeroU32 {
    NonZeroU32::new(calls).unwrap()
}

fn three() -> NonZeroU32 {
    number(3)
}

#[test]
fn retry_key_matches_setter() {
    retry("total = 7", |it| it.max_retries(7));
    retry("total = \"unlimited\"", |it| it.max_retries(None));
    retry("connect = 2", |it| it.max_connect_retries(2));
    retry("read = 2", |it| it.max_read_retries(2));
    retry("status = 2", |it| it.max_status_retries(2));
    retry("other = 2", |it| it.max_other_retries(2));
    retry("methods = \"any\"", RetryLayer::retry_all_methods);
    retry("methods = [\"GET\", \"PURGE\"]", |it| {
        it.retry_methods([Method::GET, Method::from_bytes(b"PURGE").unwrap()])
    });
    retry("status_forcelist = [202, 503]", |it| it.retry_statuses([202, 503]));
    retry("retry_after_statuses = [413]", |it| it.retry_statuses_with_retry_after([413]));
    retry("respect_retry_after = false", |it| it.respect_retry_after(false));
    retry("retry_after_max = \"1m\"", |it| it.max_retry_after(ms(60_000)));
    retry("cap_retry_after = true", |it| it.clamp_retry_after(true));
    retry("retry_after_jitter = false", |it| it.retry_after_jitter(false));
    retry("total_delay_max = \"5s\"", |it| it.max_total_delay(ms(5_000)));
    retry("total_delay_max = \"off\"", |it| it.max_total_delay(Duration::MAX));
    retry("retry_unlikely = true", |it| it.retry_if_probably_unprocessed(true));
    retry("retry_rejected = true", |it| it.retry_rejections(true));
    retry("raise_on_status = true", |it| it.error_on_exhausted_status(true));
    retry("min_attempt = \"20ms\"", |it| it.min_attempt_time(ms(20)));
    retry("body_limit = 0", |it| it.max_replay_bytes(0));
    retry("drain_wait = \"0s\"", |it| it.drain_timeout(Duration::ZERO));
    retry("attempt_header = \"x-attempt\"", |it| {
        it.attempt_header(HeaderName::from_static("x-attempt"))
    });
}

#[test]
fn backoff_kind_selects_backoff() {
    let backoff = |key: &str, backoff: Backoff| {
        retry(&format!("backoff = {{ {key} }}"), |it| it.backoff(backoff));
    };
    backoff("base = \"1s\"", Backoff::exponential(ms(1_000)));
    backoff("max = \"1m\"", Backoff::default().max(ms(60_000)));
    backoff("jitter = false", Backoff::default().jitter(false));
    backoff("jitter = \"50ms\"", Backoff::default().added_jitter(ms(50)));
    backoff("kind = \"constant\"", Backoff::constant(ms(100)));
    backoff("kind = \"constant\", base = \"2s\", jitter = true", {
        Backoff::constant(ms(2_000)).jitter(true)
    });
    backoff("kind = \"none\"", Backoff::none());
    backoff("kind = \"urllib3\"", Backoff::urllib3(1.0).unwrap());
    backoff("kind = \"urllib3\", factor = 0.5, max = \"7s\", jitter = \"1s\"", {
        Backoff::urllib3(0.5).unwrap().max(ms(7_000)).added_jitter(ms(1_000))
    });
}

#[test]
fn budget_key_sets_budget_per_authority() {
    let by =
        |ratio, least| RetryLayer::new().budget_per_key(Budget::new(ratio, least), by_authority);
    for (key, retry) in [
        ("{ ratio = 0.1, min = 9 }", by(Ratio::percent(10), 9)),
        ("{ ratio = 1 }", by(Ratio::percent(100), 3)),
        ("{ min = 0 }", by(Ratio::percent(20), 0)),
        ("\"off\"", RetryLayer::new().budget(Budget::none())),
    ] {
        let key = format!("[default]\nretry.budget = {key}");
        // Whether somebody chose it in the program is no setting.
        let chosen = |stack: String| stack.replace("has_own_budget: true", "has_own_budget: false");
        let by_setter = chosen(stack(base().retry(retry), Config::default()));
        assert_eq!(chosen(stack(base(), config(&key))), by_setter, "{key}");
    }
}

#[test]
fn circuit_breaker_key_matches_setter() {
    breaker("failure_ratio = 0.25", |it| it.failure_ratio(Ratio::percent(25)));
    breaker("failure_ratio = 0", |it| it.failure_ratio(Ratio::percent(0)));
    breaker("min_calls = 3", |it| it.min_calls(3));
    breaker("window = \"1m\"", |it| it.window(ms(60_000)));
    breaker("consecutive_failures = 3", |it| it.consecutive_failures(three()));
    breaker("slow_call = \"2s\"", |it| it.slow_call_threshold(ms(2_000)));
    breaker("open_for = \"1s\"", |it| it.open_duration(ms(1_000)));
    breaker("open_max = \"1m\"", |it| it.max_open_duration(ms(60_000)));
    breaker("retry_after_max = \"0s\"", |it| it.max_retry_after(Duration::ZERO));
    breaker("probes = 3", |it| it.half_open_probes(three()));
    breaker("probe_lease = \"5s\"", |it| it.probe_timeout(ms(5_000)));
    breaker("count_origin_errors = true", |it| it.count_origin_errors(true));
    breaker("shadow = true", |it| it.dry_run(true));
    same(
        "circuit_breaker = { failure_ratio = \"off\", consecutive_failures = 3 }",
        base().circuit_breaker(
            CircuitBreakerLayer::new().failure_ratio(None).consecutive_failures(three()),
        ),
    );
}

#[test]
fn logging_key_matches_setter() {
    logging("success = \"trace\"", |it| it.success_level(Level::Trace));
    logging("retried = \"warn\"", |it| it.retried_level(Level::Warn));
    logging("client_error = \"info\"", |it| it.client_error_level(Level::Info));
    logging("failure = \"error\"", |it| it.failure_level(Level::Error));
    logging("refused = \"off\"", |it| it.rejected_level(Level::Off));
    logging("cancelled = \"debug\"", |it| it.cancelled_level(Level::Debug));
    logging("span = \"trace\"", |it| it.span_level(Level::Trace));
    logging("sample = 0.01", |it| it.sample(Ratio::percent(1)));
    logging("curl = false", |it| it.log_curl(false));
    logging("redact = [\"iban\", \"pin\"]", |it| it.redact(["iban", "pin"]));
    logging("headers = [\"x-request-id\"]", |it| {
        it.log_headers([HeaderName::from_static("x-request-id")])
    });
    logging("user_agent = true", |it| it.log_user_agent(true));
    logging("failed_body = 100", |it| it.max_failed_body_bytes(100));
}

#[test]
fn stack_key_matches_setter() {
    let timeouts = |attempt, total| Timeouts::new(attempt, total).unwrap();
    same("timeouts.attempt = \"2s\"", base().timeouts(timeouts(Some(ms(2_000)), Some(ms(30_000)))));
    same("timeouts.total = \"1m\"", base().timeouts(timeouts(Some(ms(10_000)), Some(ms(60_000)))));
    same("timeouts.total = \"off\"", base().timeouts(timeouts(Some(ms(10_000)), None)));
    same(
        "timeouts = { attempt = \"off\", total = \"off\" }",
        base().timeouts(timeouts(None, None)),
    );
    same("timeouts.body_idle = \"1s\"", base().timeouts(Timeouts::default().body_idle(ms(1_000))));
    same("timeouts.body_idle = \"off\"", base().timeouts(Timeouts::default().body_idle(None)));
    same("in_flight = 3", base().in_flight(InFlightLimitLayer::new(three())));
    let adaptive = |key: &str, set: fn(AdaptiveLimit) -> AdaptiveLimit| {
        same(key, base().in_flight(InFlightLimitLayer::adaptive(set(AdaptiveLimit::new()))));
    };
    adaptive("in_flight = \"adaptive\"", |it| it);
    adaptive("in_flight = {}", |it| it);
    adaptive("in_flight.initial = 30", |it| it.initial(number(30)));
    adaptive("in_flight.min = 3", |it| it.min(three()));
    adaptive("in_flight.max = 200", |it| it.max(number(200)));
    adaptive("in_flight = { initial = 3, min = 3, max = 3 }", |it| {
        it.initial(three()).min(three()).max(three())
    });
    let hop = |key: &str, layer: DeadlineHeaderLayer| {
        same(&format!("next_hop = {{ {key} }}"), base().deadline_header(layer));
    };
    let envoy = DeadlineHeaderLayer::new(TimeoutHeader::EnvoyExpected);
    hop("header = \"x-envoy-expected-rq-timeout-ms\"", envoy);
    let grpc = DeadlineHeaderLayer::new(TimeoutHeader::Grpc);
    hop("header = \"grpc-timeout\", margin = \"1s\"", grpc.margin(ms(1_000)));
    // As the stack makes it of its timeouts.
    let grpc = DeadlineLayer::new(ms(30_000)).trust_header(TimeoutHeader::Grpc);
    same("timeouts.trust = [\"grpc-timeout\"]", base().deadline(grpc.clone()));
    same(
        "timeouts.trust = [\"grpc-timeout\", \"x-envoy-expected-rq-timeout-ms\"]",
        base().deadline(grpc.trust_header(TimeoutHeader::EnvoyExpected)),
    );
    same(
        "bad_gateway.peek = 0",
        base().bad_gateway(BadGatewayClassifierLayer::new().max_peek_bytes(0)),
    );
    same("bad_gateway.peek_wait = \"1s\"", {
        base().bad_gateway(BadGatewayClassifierLayer::new().peek_timeout(ms(1_000)))
    });
    same("retry = \"off\"", base().retry(None));
    same("circuit_breaker = \"off\"", base().circuit_breaker(None));
    same("bad_gateway = \"off\"", base().bad_gateway(None));
    same("logging = \"off\"", base().logging(None));
}

/// The rows of the table in the docs: key and default.
pub(super) fn documented() -> Vec<(String, String)> {
    let docs = include_str!("../../../src/config/mod.rs");
    let table = docs.split("//! | key | meaning | value | default |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("//! |"));
    rows.map(|row| {
        let cells: Vec<&str> =
            row.trim_start_matches("//! ").trim_matches('|').split('|').collect();
        assert_eq!(cells.len(), 4, "{row}");
        let key = cells[0].trim().trim_matches('`');
        (key.to_owned(), cells[3].trim().to_owned())
    })
    .collect()
}

#[test]
fn documented_defaults_match_stack() {
    let rows = documented();
    assert!(rows.len() > 50, "{rows:?}");
    let mut in_words = Vec::new();
    let said_nothing = stack(base(), Config::default());
    for (key, default) in &rows {
        let Some(value) = default.strip_prefix('`').and_then(|it| it.strip_suffix('`')) else {
            in_words.push(key.as_str());
            continue;
        };
        let text = format!("[default]\n{key} = {value}");
        assert!(stack(base(), config(&text)) == said_nothing, "{text}");
    }
    let expected = [
        "retry.backoff.factor",
        "in_flight.initial",
        "in_flight.min",
        "in_flight.max",
        "next_hop.header",
        "next_hop.margin",
        "logging.client_error",
        "logging.span",
    ];
    assert_eq!(in_words, expected);
    let factor = config("default.retry.backoff = { kind = \"urllib3\", factor = 1 }");
    let urllib3 = config("default.retry.backoff = { kind = \"urllib3\" }");
    assert_eq!(stack(base(), factor), stack(base(), urllib3));
    for (key, all, none) in [
        ("in_flight", "initial = 100, min = 10, max = 1000", ""),
        ("next_hop", "header = \"grpc-timeout\", margin = \"50ms\"", "header = \"grpc-timeout\""),
    ] {
        let with = |keys: &str| stack(base(), config(&format!("default.{key} = {{ {keys} }}")));
        assert_eq!(with(all), with(none), "{key}");
    }
}

#[test]
fn config_keeps_program_setting_when_file_omits_key() {
    let of_program = || {
        let breaker = CircuitBreakerLayer::new().min_calls(2);
        base()
            .retry(RetryLayer::new().max_retries(9).retry_if_probably_unprocessed(true))
            .circuit_breaker(breaker)
            .bad_gateway(None)
            .in_flight(InFlightLimitLayer::new(three()))
    };
    let of_file = "[default]\nretry.total = 1\ncircuit_breaker.probes = 3\ntimeouts.total = \"1m\"";
    let both = base()
        .retry(RetryLayer::new().max_retries(1).retry_if_probably_unprocessed(true))
        .circuit_breaker(CircuitBreakerLayer::new().min_calls(2).half_open_probes(three()))
        .timeouts(Timeouts::new(ms(10_000), ms(60_000)).unwrap())
        .bad_gateway(None)
        .in_flight(InFlightLimitLayer::new(three()));
    assert_eq!(stack(of_program(), config(of_file)), stack(both, Config::default()));
}

#[test]
fn config_keeps_limit_bounds_and_trusted_headers_unless_set() {
    let limited = |bounds: AdaptiveLimit| base().in_flight(InFlightLimitLayer::adaptive(bounds));
    let of_program = limited(AdaptiveLimit::new().min(three()).max(number(50)));
    let both = limited(AdaptiveLimit::new().min(three()).max(number(200)));
    let of_file = config("[default]\nin_flight.max = 200");
    assert_eq!(stack(of_program, of_file), stack(both, Config::default()));

    let trusting = |headers: &[TimeoutHeader]| {
        let layer = DeadlineLayer::new(ms(30_000)).include_body(true);
        base().deadline(headers.iter().fold(layer, |layer, header| layer.trust_header(*header)))
    };
    let (grpc, envoy) = (TimeoutHeader::Grpc, TimeoutHeader::EnvoyExpected);
    for (trusted, of_file) in [
        (&[][..], "[]"),
        (&[envoy], "[\"x-envoy-expected-rq-timeout-ms\"]"),
        (&[grpc, envoy], "[\"x-envoy-expected-rq-timeout-ms\", \"grpc-timeout\"]"),
    ] {
        let of_file = config(&format!("[default]\ntimeouts.trust = {of_file}"));
        let by_setter = stack(trusting(trusted), Config::default());
        assert_eq!(stack(trusting(&[grpc]), of_file), by_setter);
    }
    let off = base().deadline_header(DeadlineHeaderLayer::new(grpc));
    let of_file = config("[default]\nnext_hop = \"off\"");
    assert_eq!(stack(off, of_file), stack(base(), Config::default()));
}

#[test]
fn config_table_adds_layer_when_program_omits_it() {
    let none = || {
        let stack = base().retry(None).circuit_breaker(None).in_flight(None);
        stack.bad_gateway(None).logging(None)
    };
    let of_file = "[default]\nretry = {}\ncircuit_breaker = {}\nbad_gateway = {}\nin_flight = 3";
    let with = base().in_flight(InFlightLimitLayer::new(three())).logging(None);
    assert_eq!(stack(none(), config(of_file)), stack(with, Config::default()));
    assert_eq!(
        stack(none(), Config::default()),
        stack(
            base(),
            config(
                "[default]\nretry = \"off\"\ncircuit_breaker = \"off\"\nbad_gateway = \"off\"\nlogging = \"off\""
            )
        ),
    );
}
