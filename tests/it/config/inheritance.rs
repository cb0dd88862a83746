//! Inheritance of the default policy by routes, and the policy that a request gets.

use seawall::{
    retry::{Backoff, Budget, RetryLayer},
    standard::Timeouts,
};

use super::{
    keys::{base, stack},
    *,
};

/// Asserts that the only route has the settings of a policy with `expected` alone.
#[track_caller]
fn inherits(default: &str, route: &str, expected: &str) {
    let of_route = stack(
        base(),
        config(&format!("[default]\n{default}\n[[route]]\nprefix = \"x://\"\n{route}")),
    );
    let of_route = of_route.split("\"x://\",").nth(1).unwrap();
    let whole = stack(base(), config(&format!("[[route]]\nprefix = \"x://\"\n{expected}")));
    let expected = whole.split("\"x://\",").nth(1).unwrap();
    assert!(of_route == expected, "{default}\n{route}\n{of_route}\n{expected}");
}

#[test]
fn route_inherits_each_absent_key_of_default_policy() {
    inherits(
        "retry = { total = 5, connect = 1 }\ntimeouts = { attempt = \"1s\", total = \"9s\" }",
        "retry.total = 2\ntimeouts.attempt = \"3s\"",
        "retry = { total = 2, connect = 1 }\ntimeouts = { attempt = \"3s\", total = \"9s\" }",
    );
    inherits("in_flight = 5", "", "in_flight = 5");
    inherits("in_flight = 5", "in_flight = \"off\"", "in_flight = \"off\"");
    inherits("in_flight.max = 50", "in_flight.min = 2", "in_flight = { min = 2, max = 50 }");
    inherits("in_flight.max = 50", "in_flight = \"adaptive\"", "in_flight.max = 50");
    inherits("in_flight.max = 50", "in_flight = 5", "in_flight = 5");
    inherits("in_flight = 5", "in_flight.max = 50", "in_flight.max = 50");
    inherits("in_flight = \"off\"", "in_flight.max = 50", "in_flight.max = 50");
    inherits("next_hop.header = \"grpc-timeout\"", "next_hop.margin = \"1s\"", {
        "next_hop = { header = \"grpc-timeout\", margin = \"1s\" }"
    });
    inherits("next_hop.header = \"grpc-timeout\"", "next_hop = \"off\"", "next_hop = \"off\"");
    inherits("timeouts.trust = [\"grpc-timeout\"]", "timeouts.trust = []", "timeouts.trust = []");
    inherits("retry = \"off\"", "", "retry = \"off\"");
    inherits("retry.total = 5", "retry = \"off\"", "retry = \"off\"");
    inherits("retry = \"off\"", "retry.connect = 1", "retry.connect = 1");
    inherits("logging.success = \"info\"", "logging = {}", "logging.success = \"info\"");
    inherits("bad_gateway.peek = 9", "bad_gateway.peek_wait = \"1s\"", {
        "bad_gateway = { peek = 9, peek_wait = \"1s\" }"
    });
    inherits("circuit_breaker.probes = 2", "circuit_breaker.min_calls = 9", {
        "circuit_breaker = { probes = 2, min_calls = 9 }"
    });
}

#[test]
fn route_replaces_backoff_and_budget_entirely() {
    inherits(
        "retry.backoff = { kind = \"urllib3\", factor = 2 }\nretry.budget = { min = 9 }",
        "retry.backoff.base = \"1s\"\nretry.budget.ratio = 0.5",
        "retry.backoff.base = \"1s\"\nretry.budget.ratio = 0.5",
    );
}

#[test]
fn requests_recipe_matches_retry_docs() {
    let recipe = include_str!("../../../src/config/requests.toml");
    let of_file = stack(base(), config(recipe));
    let of_file = of_file.split("\"https://\",").nth(1).unwrap();

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
        .retry_after_jitter(false)
        .max_total_delay(Duration::MAX)
        .error_on_exhausted_status(true)
        .budget(Budget::none());
    let ten = Duration::from_secs(10);
    let by_setters = base()
        .retry(retry)
        .timeouts(Timeouts::new(ten, None).unwrap().body_idle(ten))
        .circuit_breaker(None);
    let by_setters = stack(by_setters, config("[[route]]\nprefix = \"https://\""));
    let by_setters = by_setters.split("\"https://\",").nth(1).unwrap();
    let chosen = |it: &str| it.replace("budgets_from: User", "budgets_from: Default");
    assert_eq!(chosen(of_file), chosen(by_setters));
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
        let before = upstream.asked();
        let response = client.clone().oneshot(get(uri)).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(upstream.asked() - before, attempts, "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_route_has_own_circuits_budgets_and_counts() {
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
