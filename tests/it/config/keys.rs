//! Each key has the same effect as its setter.

use std::num::NonZeroU32;

use http::{HeaderName, Method};
use seawall::{
    Ratio,
    bad_gateway::BadGatewayClassifierLayer,
    circuit_breaker::CircuitBreakerLayer,
    deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader},
    in_flight::{AdaptiveLimit, InFlightLimitLayer},
    keys::by_authority,
    logging::{Level, LoggingLayer},
    retry::{Backoff, Budget, RetryLayer},
    standard::Timeouts,
};

use super::*;

pub(super) fn base_layer() -> StandardLayer {
    StandardLayer::new("test")
}

/// Returns the debug output of the stacks of all policies, without the seeds of random generators.
pub(super) fn debug_of_stacks(base: StandardLayer, config: Config) -> String {
    let debug = format!("{:#?}", ConfiguredLayer::new(base, config));
    debug.lines().filter(|line| !line.trim().starts_with("seed: ")).collect::<Vec<_>>().join("\n")
}

/// Asserts that a line of the default policy changes the base layer into `expected`.
#[track_caller]
fn assert_key(line: &str, expected: StandardLayer) {
    let text = format!("[default]\n{line}");
    let by_key = debug_of_stacks(base_layer(), config(&text));
    let by_setter = debug_of_stacks(expected, Config::default());
    assert!(by_key == by_setter, "{text}\nby key:\n{by_key}\nby setter:\n{by_setter}");
    let unchanged = debug_of_stacks(base_layer(), Config::default());
    assert!(by_key != unchanged, "{text} must change the stack");
}

fn assert_retry_key(line: &str, set: impl FnOnce(RetryLayer) -> RetryLayer) {
    assert_key(&format!("retry.{line}"), base_layer().retry(set(RetryLayer::new())));
}

fn assert_breaker_key(line: &str, set: impl FnOnce(CircuitBreakerLayer) -> CircuitBreakerLayer) {
    let line = format!("circuit_breaker.{line}");
    assert_key(&line, base_layer().circuit_breaker(set(CircuitBreakerLayer::new())));
}

fn assert_logging_key(line: &str, set: impl FnOnce(LoggingLayer) -> LoggingLayer) {
    assert_key(&format!("logging.{line}"), base_layer().logging(set(LoggingLayer::client())));
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn nonzero(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).unwrap()
}

fn three() -> NonZeroU32 {
    nonzero(3)
}

#[test]
fn retry_key_matches_setter() {
    assert_retry_key("total = 7", |layer| layer.max_retries(7));
    assert_retry_key("total = \"unlimited\"", RetryLayer::without_max_retries);
    assert_retry_key("connect = 2", |layer| layer.max_connect_retries(2));
    assert_retry_key("read = 2", |layer| layer.max_read_retries(2));
    assert_retry_key("status = 2", |layer| layer.max_status_retries(2));
    assert_retry_key("other = 2", |layer| layer.max_other_retries(2));
    assert_retry_key("methods = \"any\"", RetryLayer::retry_all_methods);
    assert_retry_key("methods = [\"GET\", \"PURGE\"]", |layer| {
        layer.retry_methods([Method::GET, Method::from_bytes(b"PURGE").unwrap()])
    });
    assert_retry_key("status_forcelist = [202, 503]", |layer| layer.retry_statuses([202, 503]));
    assert_retry_key("retry_after_statuses = [413]", |layer| {
        layer.retry_statuses_with_retry_after([413])
    });
    assert_retry_key("respect_retry_after = false", |layer| layer.respect_retry_after(false));
    assert_retry_key("retry_after_max = \"1m\"", |layer| layer.max_retry_after(ms(60_000)));
    assert_retry_key("cap_retry_after = true", |layer| layer.clamp_retry_after(true));
    assert_retry_key("retry_after_jitter = false", |layer| layer.jitter_retry_after(false));
    assert_retry_key("total_delay_max = \"5s\"", |layer| layer.max_total_delay(ms(5_000)));
    assert_retry_key("total_delay_max = \"off\"", |layer| layer.max_total_delay(Duration::MAX));
    assert_retry_key("retry_unlikely = true", |layer| layer.retry_if_probably_unprocessed(true));
    assert_retry_key("retry_rejected = true", |layer| layer.retry_rejections(true));
    assert_retry_key("raise_on_status = true", |layer| layer.error_on_exhausted_status(true));
    assert_retry_key("min_attempt = \"20ms\"", |layer| layer.min_attempt_time(ms(20)));
    assert_retry_key("body_limit = 0", |layer| layer.max_replay_bytes(0));
    assert_retry_key("drain_wait = \"0s\"", |layer| layer.drain_timeout(Duration::ZERO));
    assert_retry_key("attempt_header = \"x-attempt\"", |layer| {
        layer.attempt_header(HeaderName::from_static("x-attempt"))
    });
}

#[test]
fn backoff_kind_selects_backoff() {
    let assert_backoff = |keys: &str, backoff: Backoff| {
        assert_retry_key(&format!("backoff = {{ {keys} }}"), |layer| layer.backoff(backoff));
    };
    assert_backoff("base = \"1s\"", Backoff::exponential(ms(1_000)));
    assert_backoff("max = \"1m\"", Backoff::default().max(ms(60_000)));
    assert_backoff("jitter = false", Backoff::default().use_jitter(false));
    assert_backoff("jitter = \"50ms\"", Backoff::default().added_jitter(ms(50)));
    assert_backoff("kind = \"constant\"", Backoff::constant(ms(100)));
    assert_backoff("kind = \"constant\", base = \"2s\", jitter = true", {
        Backoff::constant(ms(2_000)).use_jitter(true)
    });
    assert_backoff("kind = \"none\"", Backoff::none());
    assert_backoff("kind = \"urllib3\"", Backoff::urllib3(1.0).unwrap());
    assert_backoff("kind = \"urllib3\", factor = 0.5, max = \"7s\", jitter = \"1s\"", {
        Backoff::urllib3(0.5).unwrap().max(ms(7_000)).added_jitter(ms(1_000))
    });
}

#[test]
fn budget_key_sets_budget_per_authority() {
    let per_authority =
        |ratio, min| RetryLayer::new().budget_per_key(Budget::new(ratio, min), by_authority);
    for (value, retry) in [
        ("{ ratio = 0.1, min = 9 }", per_authority(Ratio::percent(10), 9)),
        ("{ ratio = 1 }", per_authority(Ratio::percent(100), 3)),
        ("{ min = 0 }", per_authority(Ratio::percent(20), 0)),
        ("\"off\"", RetryLayer::new().budget(Budget::none())),
    ] {
        let text = format!("[default]\nretry.budget = {value}");
        // `is_budget_set` records the origin of the budget and is not a setting.
        let ignore_budget_origin =
            |stack: String| stack.replace("is_budget_set: true", "is_budget_set: false");
        let by_key = debug_of_stacks(base_layer(), config(&text));
        let by_setter = debug_of_stacks(base_layer().retry(retry), Config::default());
        assert_eq!(ignore_budget_origin(by_key), ignore_budget_origin(by_setter), "{text}");
    }
}

#[test]
fn circuit_breaker_key_matches_setter() {
    assert_breaker_key("failure_ratio = 0.25", |layer| layer.failure_ratio(Ratio::percent(25)));
    assert_breaker_key("failure_ratio = 0", |layer| layer.failure_ratio(Ratio::percent(0)));
    assert_breaker_key("min_calls = 3", |layer| layer.min_calls(3));
    assert_breaker_key("window = \"1m\"", |layer| layer.window(ms(60_000)));
    assert_breaker_key("consecutive_failures = 3", |layer| layer.consecutive_failures(three()));
    assert_breaker_key("slow_call = \"2s\"", |layer| layer.slow_call_threshold(ms(2_000)));
    assert_breaker_key("open_for = \"1s\"", |layer| layer.open_duration(ms(1_000)));
    assert_breaker_key("open_max = \"1m\"", |layer| layer.max_open_duration(ms(60_000)));
    assert_breaker_key("retry_after_max = \"0s\"", |layer| layer.max_retry_after(Duration::ZERO));
    assert_breaker_key("probes = 3", |layer| layer.half_open_probes(three()));
    assert_breaker_key("probe_lease = \"5s\"", |layer| layer.probe_timeout(ms(5_000)));
    assert_breaker_key("count_origin_errors = true", |layer| layer.count_origin_errors(true));
    assert_breaker_key("shadow = true", |layer| layer.dry_run(true));
    assert_key(
        "circuit_breaker = { failure_ratio = \"off\", consecutive_failures = 3 }",
        base_layer().circuit_breaker(
            CircuitBreakerLayer::new().without_failure_ratio().consecutive_failures(three()),
        ),
    );
}

#[test]
fn logging_key_matches_setter() {
    assert_logging_key("success = \"trace\"", |layer| layer.success_level(Level::Trace));
    assert_logging_key("retried = \"warn\"", |layer| layer.retried_level(Level::Warn));
    assert_logging_key("client_error = \"info\"", |layer| layer.client_error_level(Level::Info));
    assert_logging_key("failure = \"error\"", |layer| layer.failure_level(Level::Error));
    assert_logging_key("refused = \"off\"", |layer| layer.rejected_level(Level::Off));
    assert_logging_key("cancelled = \"debug\"", |layer| layer.cancelled_level(Level::Debug));
    assert_logging_key("span = \"trace\"", |layer| layer.span_level(Level::Trace));
    assert_logging_key("sample = 0.01", |layer| layer.sample(Ratio::percent(1)));
    assert_logging_key("curl = false", |layer| layer.log_curl(false));
    assert_logging_key("redact = [\"iban\", \"pin\"]", |layer| layer.redact(["iban", "pin"]));
    assert_logging_key("redact_paths = [\"/v3/{key}\"]", |layer| layer.redact_paths(["/v3/{key}"]));
    assert_logging_key("headers = [\"x-request-id\"]", |layer| {
        layer.log_headers([HeaderName::from_static("x-request-id")])
    });
    assert_logging_key("user_agent = true", |layer| layer.log_user_agent(true));
    assert_logging_key("failed_body = 100", |layer| layer.max_failed_body_bytes(100));
}

#[test]
fn other_keys_match_setters() {
    let timeouts = |attempt, total| Timeouts::new(attempt, total).unwrap();
    assert_key("timeouts.attempt = \"2s\"", base_layer().timeouts(timeouts(ms(2_000), ms(30_000))));
    assert_key("timeouts.total = \"1m\"", base_layer().timeouts(timeouts(ms(10_000), ms(60_000))));
    assert_key(
        "timeouts.total = \"off\"",
        base_layer().timeouts(Timeouts::default().without_total()),
    );
    assert_key(
        "timeouts = { attempt = \"off\", total = \"off\" }",
        base_layer().timeouts(Timeouts::none().body_idle(ms(60_000))),
    );
    assert_key(
        "timeouts.body_idle = \"1s\"",
        base_layer().timeouts(Timeouts::default().body_idle(ms(1_000))),
    );
    assert_key(
        "timeouts.body_idle = \"off\"",
        base_layer().timeouts(Timeouts::default().without_body_idle()),
    );
    assert_key("in_flight = 3", base_layer().in_flight(InFlightLimitLayer::new(three())));
    let assert_adaptive = |line: &str, set: fn(AdaptiveLimit) -> AdaptiveLimit| {
        assert_key(
            line,
            base_layer().in_flight(InFlightLimitLayer::adaptive(set(AdaptiveLimit::new()))),
        );
    };
    assert_adaptive("in_flight = \"adaptive\"", |layer| layer);
    assert_adaptive("in_flight = {}", |layer| layer);
    assert_adaptive("in_flight.initial = 30", |layer| layer.initial(nonzero(30)));
    assert_adaptive("in_flight.min = 3", |layer| layer.min(three()));
    assert_adaptive("in_flight.max = 200", |layer| layer.max(nonzero(200)));
    assert_adaptive("in_flight = { initial = 3, min = 3, max = 3 }", |layer| {
        layer.initial(three()).min(three()).max(three())
    });
    let assert_next_hop = |keys: &str, layer: DeadlineHeaderLayer| {
        assert_key(&format!("next_hop = {{ {keys} }}"), base_layer().deadline_header(layer));
    };
    let envoy = DeadlineHeaderLayer::new(TimeoutHeader::EnvoyExpected);
    assert_next_hop("header = \"x-envoy-expected-rq-timeout-ms\"", envoy);
    let grpc = DeadlineHeaderLayer::new(TimeoutHeader::Grpc);
    assert_next_hop("header = \"grpc-timeout\", margin = \"1s\"", grpc.margin(ms(1_000)));
    // 30 s is the total timeout, from which the stack derives its deadline.
    let grpc = DeadlineLayer::new(ms(30_000)).trust_header(TimeoutHeader::Grpc);
    assert_key("timeouts.trust = [\"grpc-timeout\"]", base_layer().deadline(grpc.clone()));
    assert_key(
        "timeouts.trust = [\"grpc-timeout\", \"x-envoy-expected-rq-timeout-ms\"]",
        base_layer().deadline(grpc.trust_header(TimeoutHeader::EnvoyExpected)),
    );
    assert_key(
        "bad_gateway.peek = 0",
        base_layer().bad_gateway(BadGatewayClassifierLayer::new().max_peek_bytes(0)),
    );
    assert_key("bad_gateway.peek_wait = \"1s\"", {
        base_layer().bad_gateway(BadGatewayClassifierLayer::new().peek_timeout(ms(1_000)))
    });
    assert_key("retry = \"off\"", base_layer().without_retry());
    assert_key("circuit_breaker = \"off\"", base_layer().without_circuit_breaker());
    assert_key("bad_gateway = \"off\"", base_layer().without_bad_gateway());
    assert_key("logging = \"off\"", base_layer().without_logging());
}

/// Returns the key and the default of each row of the table in the docs.
pub(super) fn documented_defaults() -> Vec<(String, String)> {
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
    let rows = documented_defaults();
    assert!(rows.len() > 50, "{rows:?}");
    let mut keys_without_literal_default = Vec::new();
    let default_stack = debug_of_stacks(base_layer(), Config::default());
    for (key, default) in &rows {
        let Some(value) = default.strip_prefix('`').and_then(|layer| layer.strip_suffix('`'))
        else {
            keys_without_literal_default.push(key.as_str());
            continue;
        };
        let text = format!("[default]\n{key} = {value}");
        assert!(
            debug_of_stacks(base_layer(), config(&text)) == default_stack,
            "{text} must not change the stack"
        );
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
    assert_eq!(keys_without_literal_default, expected);
    let factor = config("default.retry.backoff = { kind = \"urllib3\", factor = 1 }");
    let urllib3 = config("default.retry.backoff = { kind = \"urllib3\" }");
    assert_eq!(debug_of_stacks(base_layer(), factor), debug_of_stacks(base_layer(), urllib3));
    for (key, explicit, implicit) in [
        ("in_flight", "initial = 100, min = 10, max = 1000", ""),
        ("next_hop", "header = \"grpc-timeout\", margin = \"50ms\"", "header = \"grpc-timeout\""),
    ] {
        let stack_with = |keys: &str| {
            debug_of_stacks(base_layer(), config(&format!("default.{key} = {{ {keys} }}")))
        };
        assert_eq!(stack_with(explicit), stack_with(implicit), "{key}");
    }
}

#[test]
fn config_keeps_program_setting_when_file_omits_key() {
    let program = || {
        let breaker = CircuitBreakerLayer::new().min_calls(2);
        base_layer()
            .retry(RetryLayer::new().max_retries(9).retry_if_probably_unprocessed(true))
            .circuit_breaker(breaker)
            .without_bad_gateway()
            .in_flight(InFlightLimitLayer::new(three()))
    };
    let file = "[default]\nretry.total = 1\ncircuit_breaker.probes = 3\ntimeouts.total = \"1m\"";
    let merged = base_layer()
        .retry(RetryLayer::new().max_retries(1).retry_if_probably_unprocessed(true))
        .circuit_breaker(CircuitBreakerLayer::new().min_calls(2).half_open_probes(three()))
        .timeouts(Timeouts::new(ms(10_000), ms(60_000)).unwrap())
        .without_bad_gateway()
        .in_flight(InFlightLimitLayer::new(three()));
    assert_eq!(
        debug_of_stacks(program(), config(file)),
        debug_of_stacks(merged, Config::default())
    );
}

#[test]
fn file_overrides_only_bounds_and_headers_that_it_sets() {
    let with_limit =
        |bounds: AdaptiveLimit| base_layer().in_flight(InFlightLimitLayer::adaptive(bounds));
    let program = with_limit(AdaptiveLimit::new().min(three()).max(nonzero(50)));
    let merged = with_limit(AdaptiveLimit::new().min(three()).max(nonzero(200)));
    let file = config("[default]\nin_flight.max = 200");
    assert_eq!(debug_of_stacks(program, file), debug_of_stacks(merged, Config::default()));

    let with_trusted = |headers: &[TimeoutHeader]| {
        let layer = DeadlineLayer::new(ms(30_000)).include_body(true);
        base_layer()
            .deadline(headers.iter().fold(layer, |layer, header| layer.trust_header(*header)))
    };
    let (grpc, envoy) = (TimeoutHeader::Grpc, TimeoutHeader::EnvoyExpected);
    for (trusted, value) in [
        (&[][..], "[]"),
        (&[envoy], "[\"x-envoy-expected-rq-timeout-ms\"]"),
        (&[grpc, envoy], "[\"x-envoy-expected-rq-timeout-ms\", \"grpc-timeout\"]"),
    ] {
        let file = config(&format!("[default]\ntimeouts.trust = {value}"));
        let by_key = debug_of_stacks(with_trusted(&[grpc]), file);
        let by_setter = debug_of_stacks(with_trusted(trusted), Config::default());
        assert_eq!(by_key, by_setter, "{value}");
    }
}

#[test]
fn next_hop_key_disables_header_of_program_when_off() {
    let with_header = base_layer().deadline_header(DeadlineHeaderLayer::new(TimeoutHeader::Grpc));
    let file = config("[default]\nnext_hop = \"off\"");
    assert_eq!(
        debug_of_stacks(with_header, file),
        debug_of_stacks(base_layer(), Config::default())
    );
}

#[test]
fn config_table_adds_layer_when_program_omits_it() {
    let empty = || {
        let stack = base_layer().without_retry().without_circuit_breaker();
        stack.without_bad_gateway().without_logging()
    };
    let file = "[default]\nretry = {}\ncircuit_breaker = {}\nbad_gateway = {}\nin_flight = 3";
    let merged = base_layer().in_flight(InFlightLimitLayer::new(three())).without_logging();
    assert_eq!(debug_of_stacks(empty(), config(file)), debug_of_stacks(merged, Config::default()));
    assert_eq!(
        debug_of_stacks(empty(), Config::default()),
        debug_of_stacks(
            base_layer(),
            config(
                "[default]\nretry = \"off\"\ncircuit_breaker = \"off\"\nbad_gateway = \"off\"\nlogging = \"off\""
            )
        ),
    );
}
