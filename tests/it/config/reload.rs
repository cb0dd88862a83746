//! Calls, circuits, budgets and counts when the configuration is reloaded.

use seawall::{
    circuit_breaker::{CircuitOpen, State},
    config::Handle,
    find_source,
    in_flight::LimitReached,
};
use tokio::{task::JoinHandle, time::Instant};
use tracing::level_filters::LevelFilter;

use super::*;
use crate::log_capture::Recorder;

type Client = seawall::config::Configured<Upstream>;

fn start(text: &str, upstream: &Upstream) -> (Client, Handle) {
    let layer = configured(text);
    (layer.layer(upstream.clone()), layer.handle())
}

async fn call(client: &Client, uri: &str) -> Result<StatusCode, BoxError> {
    client.clone().oneshot(get(uri)).await.map(|response| response.status())
}

/// Starts a call that stays in flight.
async fn start_call(
    client: &Client,
    uri: &'static str,
) -> JoinHandle<Result<StatusCode, BoxError>> {
    let client = client.clone();
    let call = tokio::spawn(async move { call(&client, uri).await });
    tokio::task::yield_now().await;
    call
}

#[tokio::test(start_paused = true)]
async fn call_in_flight_keeps_policy_when_config_changes() {
    let upstream = Upstream::new(None);
    let old = "[default]\ncircuit_breaker = \"off\"\nretry = { total = 1, backoff.kind = \"none\" }\n\
        timeouts = { attempt = \"5s\", total = \"30s\" }\n";
    let (client, handle) = start(old, &upstream);
    let started = Instant::now();
    let in_flight = start_call(&client, "http://a/").await;
    handle.replace(&config(
        "[default]\ncircuit_breaker = \"off\"\nretry = \"off\"\n\
         timeouts = { attempt = \"1s\", total = \"1s\" }",
    ));
    // The new policy applies to new calls at once.
    assert!(call(&client, "http://a/").await.is_err());
    assert_eq!(started.elapsed().as_millis(), 1_000);
    assert_eq!(upstream.requests(), 2);
    // The call in flight also retries by the old policy.
    assert!(in_flight.await.unwrap().is_err());
    assert_eq!(started.elapsed().as_millis(), 10_000);
    assert_eq!(upstream.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn readied_instance_uses_policy_at_call() {
    let upstream = Upstream::new(503);
    let (mut client, handle) = start("[default]\nretry = \"off\"", &upstream);
    ServiceExt::<Request<Body>>::ready(&mut client).await.unwrap();
    handle.replace(&config("[default]\nretry = { total = 2, backoff.kind = \"none\" }"));
    client.call(get("http://a/")).await.unwrap();
    assert_eq!(upstream.requests(), 3);
}

/// A configuration of one route whose circuit opens at the first failure.
fn fragile(timeout: &str, breaker: &str) -> Config {
    config(&format!(
        "[default]\nretry = \"off\"\ntimeouts.attempt = \"{timeout}\"\n\
         circuit_breaker = {{ consecutive_failures = 1, open_for = \"1h\", open_max = \"2h\" }}\n\
         [[route]]\nprefix = \"http://a\"\n{breaker}"
    ))
}

fn is_open(result: &Result<StatusCode, BoxError>) -> bool {
    result.as_ref().is_err_and(|error| find_source::<CircuitOpen>(&**error).is_some())
}

#[tokio::test(start_paused = true)]
async fn handle_keeps_circuit_when_other_settings_change() {
    let upstream = Upstream::new(503);
    let layer = ConfiguredLayer::new(StandardLayer::new("test"), fragile("2s", ""));
    let (client, handle) = (layer.layer(upstream.clone()), layer.handle());
    for uri in ["http://a/", "http://b/"] {
        call(&client, uri).await.unwrap();
        assert!(is_open(&call(&client, uri).await));
    }

    // Other timeouts, a preceding route, and equivalent spellings keep the circuit.
    let changed = fragile("3s", "circuit_breaker.consecutive_failures = 1\n");
    handle.replace(&changed);
    assert!(is_open(&call(&client, "http://a/").await));
    let moved = format!("[[route]]\nprefix = \"http://c\"\n{}", {
        "[[route]]\nprefix = \"HTTP://A:80/\"\n[default]\nretry = \"off\"\n[default.circuit_breaker]\n\
         consecutive_failures = 1\nopen_for = \"60m\"\nopen_max = \"120m\"\n"
    });
    handle.replace(&config(&moved));
    assert!(is_open(&call(&client, "http://a/").await));
    assert!(is_open(&call(&client, "http://b/").await));

    // A changed breaker setting replaces the route's circuit and keeps that of the default policy.
    handle.replace(&fragile("3s", "circuit_breaker.probes = 1\n"));
    assert!(!is_open(&call(&client, "http://a/").await));
    assert!(is_open(&call(&client, "http://b/").await));
}

#[tokio::test(start_paused = true)]
async fn circuit_counts_calls_in_flight_after_reload() {
    let upstream = Upstream::new(None);
    let layer = ConfiguredLayer::new(StandardLayer::new("test"), fragile("2s", ""));
    let (client, handle) = (layer.layer(upstream.clone()), layer.handle());
    let in_flight = start_call(&client, "http://a/").await;
    handle.replace(&fragile("3s", ""));
    assert!(!is_open(&in_flight.await.unwrap()));
    assert!(is_open(&call(&client, "http://a/").await));
}

#[tokio::test(start_paused = true)]
async fn handle_keeps_budget_when_other_settings_change() {
    let upstream = Upstream::new(503);
    let text = |retry: &str| {
        format!(
            "[default]\ncircuit_breaker = \"off\"\n[[route]]\nprefix = \"http://a\"\n\
             retry = {{ backoff.kind = \"none\", {retry} }}"
        )
    };
    let (client, handle) = start(&text("total = 2, budget = { ratio = 0, min = 2 }"), &upstream);
    let attempts = async || {
        let requests_before = upstream.requests();
        call(&client, "http://a/").await.unwrap();
        upstream.requests() - requests_before
    };
    assert_eq!(attempts().await, 3);
    assert_eq!(attempts().await, 1);
    handle.replace(&config(&text("total = 5, budget = { ratio = 0, min = 2 }")));
    assert_eq!(attempts().await, 1);
    handle.replace(&config(&text("total = 5, budget = { ratio = 0, min = 3 }")));
    assert_eq!(attempts().await, 4);
    assert_eq!(attempts().await, 1);
    handle.replace(&config(&text("total = 2, budget = \"off\"")));
    assert_eq!((attempts().await, attempts().await), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn handle_keeps_default_budget_when_reloaded() {
    let upstream = Upstream::new(503);
    let text = |total| {
        format!(
            "[default]\ncircuit_breaker = \"off\"\nretry = {{ total = {total}, backoff.kind = \"none\" }}"
        )
    };
    let (client, handle) = start(&text(3), &upstream);
    call(&client, "http://a/").await.unwrap();
    assert_eq!(upstream.requests(), 4);
    handle.replace(&config(&text(9)));
    call(&client, "http://a/").await.unwrap();
    assert_eq!(upstream.requests(), 5);
}

#[tokio::test(start_paused = true)]
async fn limit_counts_calls_in_flight_after_reload() {
    let text = |limit: &str, total| {
        format!("[default]\nin_flight = {limit}\nretry = \"off\"\ntimeouts.total = \"{total}s\"")
    };
    for limit in ["1", "{ initial = 1, min = 1 }"] {
        assert_calls_stay_counted(&text(limit, 20), &text(limit, 30)).await;
    }
}

/// Asserts that a limit of one call in flight holds across the reload.
async fn assert_calls_stay_counted(old: &str, new: &str) {
    let upstream = Upstream::new(None);
    let (client, handle) = start(old, &upstream);
    let is_rejected = |result: &Result<StatusCode, BoxError>| {
        result.as_ref().is_err_and(|error| find_source::<LimitReached>(&**error).is_some())
    };
    let in_flight = start_call(&client, "http://a/").await;
    assert!(is_rejected(&call(&client, "http://a/").await));
    handle.replace(&config(new));
    assert!(is_rejected(&call(&client, "http://a/").await));
    in_flight.abort();
    assert!(in_flight.await.unwrap_err().is_cancelled());
    upstream.set(200);
    assert_eq!(call(&client, "http://a/").await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn invalid_file_keeps_active_config() {
    let upstream = Upstream::new(503);
    let (client, handle) = start("[default]\nretry = \"off\"", &upstream);
    let active = handle.config();
    let invalid =
        "[default]\nretry = { total = 3 }\n[[route]]\nprefix = \"http://a\"\nin_flight = -1";
    if let Ok(config) = Config::from_toml(invalid) {
        handle.replace(&config);
    }
    assert_eq!(handle.config(), active);
    call(&client, "http://a/").await.unwrap();
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn handle_exposes_circuits_of_all_routes() {
    let upstream = Upstream::new(200);
    let layer = ConfiguredLayer::new(StandardLayer::new("test"), fragile("2s", ""));
    let (client, handle) = (layer.layer(upstream.clone()), layer.handle());
    for uri in ["http://a/", "http://b/", "http://c:81/"] {
        call(&client, uri).await.unwrap();
    }
    let circuits: Vec<_> = handle
        .circuits()
        .into_iter()
        .map(|(prefix, circuits)| {
            let all = circuits.all();
            let mut keys: Vec<_> = all.iter().map(|it| it.key().unwrap().to_owned()).collect();
            keys.sort();
            (prefix, keys)
        })
        .collect();
    let keys = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect::<Vec<_>>();
    let expected = [(None, keys(&["b", "c:81"])), (Some("http://a".to_owned()), keys(&["a"]))];
    assert_eq!(circuits, expected);

    let circuit = handle.circuits()[1].1.get("a").unwrap();
    circuit.force_open();
    assert!(is_open(&call(&client, "http://a/").await));
    handle.replace(&fragile("3s", ""));
    assert!(is_open(&call(&client, "http://a/").await));
    circuit.release();
    assert!(call(&client, "http://a/").await.is_ok());
    assert_eq!(circuit.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn reload_emits_event_with_route_counts() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let routes = |routes: &[(&str, u32)]| {
        let route = |(prefix, limit): &(&str, u32)| {
            format!("[[route]]\nprefix = \"{prefix}\"\nin_flight = {limit}\n")
        };
        config(&routes.iter().map(route).collect::<String>())
    };
    let layer = ConfiguredLayer::new(
        StandardLayer::new("test"),
        routes(&[("http://same", 1), ("http://changed", 1), ("http://gone", 1)]),
    );
    layer.handle().replace(&routes(&[
        ("http://new", 1),
        ("http://newer", 1),
        ("http://changed", 2),
        ("http://same", 1),
    ]));
    let events = recorder.events();
    let event = events.iter().find(|event| event.message() == "configuration replaced").unwrap();
    for (field, number) in [("added", "2"), ("removed", "1"), ("changed", "1"), ("unchanged", "1")]
    {
        assert_eq!(event.get(field), Some(number), "{field}");
    }
    assert_eq!(event.get("default_changed"), Some("false"));
}
