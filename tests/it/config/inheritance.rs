//! Inheritance of the default policy by routes, and the policy that a request gets.

use seawall::{
    retry::{Backoff, Budget, RetryLayer},
    standard::Timeouts,
};

use super::{
    keys::{base_layer, debug_of_stacks},
    *,
};

/// Asserts that `route` under the default policy `default` has the same settings as `expected`
/// without a default policy.
#[track_caller]
fn assert_inherits(default: &str, route: &str, expected: &str) {
    let inherited = debug_of_stacks(
        base_layer(),
        config(&format!("[default]\n{default}\n[[route]]\nprefix = \"x://\"\n{route}")),
    );
    let inherited = inherited.split("\"x://\",").nth(1).unwrap();
    let explicit =
        debug_of_stacks(base_layer(), config(&format!("[[route]]\nprefix = \"x://\"\n{expected}")));
    let expected_debug = explicit.split("\"x://\",").nth(1).unwrap();
    assert!(
        inherited == expected_debug,
        "default policy:\n{default}\nroute:\n{route}\n\
         settings of the route:\n{inherited}\nexpected settings:\n{expected_debug}"
    );
}

#[test]
fn route_inherits_each_absent_key_of_default_policy() {
    assert_inherits(
        "retry = { total = 5, connect = 1 }\ntimeouts = { attempt = \"1s\", total = \"9s\" }",
        "retry.total = 2\ntimeouts.attempt = \"3s\"",
        "retry = { total = 2, connect = 1 }\ntimeouts = { attempt = \"3s\", total = \"9s\" }",
    );
    assert_inherits("in_flight = 5", "", "in_flight = 5");
    assert_inherits("in_flight = 5", "in_flight = \"off\"", "in_flight = \"off\"");
    assert_inherits("in_flight.max = 50", "in_flight.min = 2", "in_flight = { min = 2, max = 50 }");
    assert_inherits("in_flight.max = 50", "in_flight = \"adaptive\"", "in_flight.max = 50");
    assert_inherits("in_flight.max = 50", "in_flight = 5", "in_flight = 5");
    assert_inherits("in_flight = 5", "in_flight.max = 50", "in_flight.max = 50");
    assert_inherits("in_flight = \"off\"", "in_flight.max = 50", "in_flight.max = 50");
    assert_inherits("next_hop.header = \"grpc-timeout\"", "next_hop.margin = \"1s\"", {
        "next_hop = { header = \"grpc-timeout\", margin = \"1s\" }"
    });
    assert_inherits(
        "next_hop.header = \"grpc-timeout\"",
        "next_hop = \"off\"",
        "next_hop = \"off\"",
    );
    assert_inherits(
        "timeouts.trust = [\"grpc-timeout\"]",
        "timeouts.trust = []",
        "timeouts.trust = []",
    );
    assert_inherits("retry = \"off\"", "", "retry = \"off\"");
    assert_inherits("retry.total = 5", "retry = \"off\"", "retry = \"off\"");
    assert_inherits("retry = \"off\"", "retry.connect = 1", "retry.connect = 1");
    assert_inherits("logging.success = \"info\"", "logging = {}", "logging.success = \"info\"");
    assert_inherits("bad_gateway.peek = 9", "bad_gateway.peek_wait = \"1s\"", {
        "bad_gateway = { peek = 9, peek_wait = \"1s\" }"
    });
    assert_inherits("circuit_breaker.probes = 2", "circuit_breaker.min_calls = 9", {
        "circuit_breaker = { probes = 2, min_calls = 9 }"
    });
}

#[test]
fn route_replaces_backoff_and_budget_entirely() {
    assert_inherits(
        "retry.backoff = { kind = \"urllib3\", factor = 2 }\nretry.budget = { min = 9 }",
        "retry.backoff.base = \"1s\"\nretry.budget.ratio = 0.5",
        "retry.backoff.base = \"1s\"\nretry.budget.ratio = 0.5",
    );
}

#[test]
fn python_requests_recipe_equals_setters() {
    let recipe = include_str!("../../../src/config/requests.toml");
    let from_file = debug_of_stacks(base_layer(), config(recipe));
    let from_file = from_file.split("\"https://\",").nth(1).unwrap();

    let retry = RetryLayer::new()
        .max_retries(3)
        .retry_methods(
            ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"].map(|it| it.parse().unwrap()),
        )
        .retry_statuses([429, 500, 502, 503, 504])
        .backoff(Backoff::urllib3(1.0).unwrap())
        .retry_statuses_with_retry_after([413, 429, 503])
        .max_retry_after(Duration::from_secs(21_600))
        .clamp_retry_after(true)
        .jitter_retry_after(false)
        .max_total_delay(Duration::MAX)
        .error_on_exhausted_status(true)
        .budget(Budget::none());
    let ten = Duration::from_secs(10);
    let from_setters = base_layer()
        .retry(retry)
        .timeouts(Timeouts::new(ten, ten).unwrap().without_total().body_idle(ten))
        .without_circuit_breaker();
    let from_setters = debug_of_stacks(from_setters, config("[[route]]\nprefix = \"https://\""));
    let from_setters = from_setters.split("\"https://\",").nth(1).unwrap();
    let ignore_budget_origin = |it: &str| it.replace("budgets_from: User", "budgets_from: Default");
    assert_eq!(ignore_budget_origin(from_file), ignore_budget_origin(from_setters));
}

#[tokio::test(start_paused = true)]
async fn request_uses_policy_of_longest_prefix() {
    let upstream = Upstream::new(503);
    let layer = configured(
        "[default]\nretry = { total = 1, budget = \"off\" }\ncircuit_breaker = \"off\"\n\
         [[route]]\nprefix = \"http://a\"\nretry.total = 2\n\
         [[route]]\nprefix = \"http://a/never\"\nretry = \"off\"\n",
    );
    let client = layer.layer(upstream.clone());
    for (uri, attempts) in [
        ("http://b/", 2),
        ("http://a/", 3),
        ("http://a/nevermore", 3),
        ("http://a/never", 1),
        ("http://A:80/never/ever?x", 1),
        ("/never", 2),
    ] {
        let requests_before = upstream.requests();
        let response = client.clone().oneshot(get(uri)).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(upstream.requests() - requests_before, attempts, "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_route_has_own_circuit() {
    let upstream = Upstream::new(503);
    let layer = configured(
        "[default]\nretry = \"off\"\ncircuit_breaker.consecutive_failures = 1\n\
         [[route]]\nprefix = \"http://a/x\"\n[[route]]\nprefix = \"http://a/y\"\n",
    );
    let client = layer.layer(upstream.clone());
    client.clone().oneshot(get("http://a/x")).await.unwrap();
    assert!(client.clone().oneshot(get("http://a/x")).await.is_err());
    assert!(client.clone().oneshot(get("http://a/y")).await.is_ok());
    assert!(client.clone().oneshot(get("http://a/")).await.is_ok());
}
