//! What a recorder of the `metrics` crate is told.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Mutex, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_util::{
    CompositeKey,
    debugging::{DebugValue, DebuggingRecorder},
};
use seawall::{
    CircuitBreakerLayer, InFlightLimitLayer, RequestDurationLayer, RetryLayer,
    circuit_breaker::{CircuitOpen, State, by_authority},
    in_flight::AdaptiveLimit,
    retry::{Backoff, Budget},
    test_util as flaky,
};
use tower::{Layer, Service, ServiceExt};

use crate::support::{Act, Script, Step, Steps, answers, get, upstream};

type Body = Full<Bytes>;

/// Runs it, and gives what was told: name and labels, as Prometheus writes them, and the value.
fn told(run: impl AsyncFnOnce()) -> BTreeMap<String, String> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run());
    });
    let all = snapshotter.snapshot().into_vec().into_iter();
    all.map(|(key, _, _, value)| (name(&key), number(&value))).collect()
}

fn name(key: &CompositeKey) -> String {
    let labels = key.key().labels().map(|label| format!("{}={}", label.key(), label.value()));
    format!("{} {}", key.key().name(), labels.collect::<Vec<_>>().join(","))
}

fn number(value: &DebugValue) -> String {
    match value {
        DebugValue::Counter(count) => count.to_string(),
        DebugValue::Gauge(value) => value.to_string(),
        DebugValue::Histogram(values) => values.len().to_string(),
    }
}

fn retry() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

#[derive(Clone)]
struct Panics;

impl<B> Service<Request<B>> for Panics {
    type Response = Response<Body>;
    type Error = seawall::BoxError;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        panic!("in the call")
    }
}

/// While a thread unwinds no recorder is called, since one that panics would end the process.
#[test]
fn duration_is_recorded_as_a_panic_when_the_call_is_dropped_after_it_was_caught() {
    let told = told(async || {
        let mut client = RequestDurationLayer::client().layer(Panics);
        let call = std::panic::AssertUnwindSafe(|| drop(client.call(get())));
        assert!(std::panic::catch_unwind(call).is_err());
    });
    assert!(told.is_empty(), "{told:?}");
    let told = self::told(async || {
        let panics = tower::service_fn(async |_: Request<Body>| {
            panic!("in the future") as Result<Response<Body>, seawall::BoxError>
        });
        let call = RequestDurationLayer::client().layer(panics).oneshot(get());
        let call = std::panic::AssertUnwindSafe(call);
        assert!(futures_util::FutureExt::catch_unwind(call).await.is_err());
    });
    let [name] = &told.keys().collect::<Vec<_>>()[..] else { panic!("{told:?}") };
    assert!(name.contains("error.type=panic"), "{name}");
}

struct PanicsAtHistograms;

impl Recorder for PanicsAtHistograms {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("the recorder panics")
    }
}

#[test]
fn a_recorder_that_panics_while_a_call_does_not_end_the_process() {
    let panics = |work: &dyn Fn()| {
        metrics::with_local_recorder(&PanicsAtHistograms, || {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err()
        })
    };
    let client = || RequestDurationLayer::client();
    // What is called panics, or whoever drops the call; and a recorder by itself.
    assert!(panics(&|| drop(client().layer(Panics).call(get()))));
    assert!(panics(&|| {
        let _call = client().layer(Script::new([Act::<Body>::Hang])).call(get());
        panic!("the caller panics");
    }));
    assert!(panics(&|| drop(client().layer(Script::new([Act::<Body>::Hang])).call(get()))));
}

#[test]
fn a_host_that_is_longer_than_any_can_be_is_not_told_apart() {
    let told = told(async || {
        for length in [1_000, 5_000] {
            let uri = format!("http://{}/", "h".repeat(length));
            let request = Request::get(uri).body(Body::default()).unwrap();
            client().layer(answers(&[200])).oneshot(request).await.unwrap();
        }
    });
    let hosts: Vec<_> = told.keys().map(|it| it.split_once("server.address=").unwrap().1).collect();
    assert!(hosts.iter().any(|host| host.starts_with("other")), "{hosts:?}");
    assert!(hosts.iter().all(|host| host.len() < 1_100), "{hosts:?}");
}

#[test]
fn a_service_that_is_shown_shows_no_password_of_a_url() {
    told(async || {
        let well =
            async |_: Request<Body>| Ok::<_, seawall::BoxError>(Response::new(Body::default()));
        let mut client = RequestDurationLayer::client().layer(tower::service_fn(well));
        let mut request = get();
        *request.uri_mut() = http::Uri::from_static("http://user:SECRET@upstream/");
        client.call(request).await.unwrap();
        let shown = format!("{client:?}");
        assert!(shown.contains("Last(") && !shown.contains("SECRET"), "{shown}");
    });
}

#[test]
fn attempts_and_retries_are_counted_by_what_became_of_them() {
    let told = told(async || {
        let script = answers(&[200, 502, 200, 502, 503, 502, 502, 502, 404]);
        let client = retry().budget(Budget::none()).layer(script);
        for status in [200, 200, 502, 404] {
            let response = client.clone().oneshot(get()).await.unwrap();
            assert_eq!(response.status(), status);
        }
    });
    let expected = [
        ("seawall_attempts_total cause=bad_gateway", "5"),
        ("seawall_attempts_total cause=client_error", "1"),
        ("seawall_attempts_total cause=none", "2"),
        ("seawall_attempts_total cause=overloaded", "1"),
        ("seawall_retries_exhausted_total stop_reason=not_retryable", "1"),
        ("seawall_retries_exhausted_total stop_reason=max_retries", "1"),
        ("seawall_retries_total outcome=failure", "4"),
        ("seawall_retries_total outcome=success", "1"),
    ];
    assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[test]
fn the_budgets_gauge_says_how_much_is_spent() {
    let told = told(async || {
        let client = retry().max_retries(1).layer(answers(&[502; 4]));
        for _ in 0..2 {
            client.clone().oneshot(get()).await.unwrap();
        }
    });
    // Two of the three that are always allowed.
    assert!(told["seawall_retry_budget_ratio "].starts_with("0.6666"), "{told:?}");
}

#[test]
fn a_circuit_tells_its_state_and_what_it_rejects() {
    let told = told(async || {
        let layer =
            CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::MIN).per_key(by_authority);
        let client = layer.layer(upstream(flaky::Step::status(502)));
        for _ in 0..3 {
            let _ = client.clone().oneshot(get()).await;
        }
    });
    // The tests are one process, and some of them bring more keys than are told apart.
    let known = told.keys().any(|name| name.contains("key=upstream"));
    let key = if known { "upstream" } else { "other" };
    assert_eq!(told[&format!("seawall_circuit_state key={key},state=open")], "1");
    assert_eq!(told[&format!("seawall_circuit_state key={key},state=closed")], "0");
    assert_eq!(told[&format!("seawall_circuit_rejections_total key={key}")], "2");
}

#[test]
fn calls_beyond_the_limit_in_flight_are_counted() {
    let told = told(async || {
        let layer = InFlightLimitLayer::new(NonZeroU32::MIN);
        let slow = flaky::Step::ok("").delay(Duration::from_secs(1));
        let mut client = layer.layer(upstream(slow));
        let request = || Request::new(Body::default());
        let held = client.call(request());
        assert!(client.call(request()).await.is_err());
        held.await.unwrap();
    });
    assert_eq!(told, [("seawall_in_flight_rejections_total ".to_owned(), "1".to_owned())].into());
}

#[test]
fn an_adaptive_limit_tells_how_many_calls_it_allows_and_a_fixed_one_does_not() {
    let most = |calls| NonZeroU32::new(calls).unwrap();
    let bounds = AdaptiveLimit::new().initial(most(8)).min(most(4)).max(most(16));
    let learn = async |layer: InFlightLimitLayer, expected: u32| {
        let keyed = layer.clone().per_key(by_authority);
        let slow = flaky::Step::ok("").delay(Duration::from_millis(10));
        // All of its places are used, and the upstream is not slower for that: so it grows as far as it may.
        for _ in 0..40 {
            let calls: Vec<_> = (0..expected)
                .map(|_| (layer.layer(upstream(slow.clone())), keyed.layer(upstream(slow.clone()))))
                .map(|(one, many)| async move {
                    let _ = futures_util::join!(one.oneshot(get()), many.oneshot(get()));
                })
                .collect();
            futures_util::future::join_all(calls).await;
        }
    };
    let adaptive = told(async || learn(InFlightLimitLayer::adaptive(bounds), 16).await);
    let known = adaptive.keys().any(|name| name.contains("key=upstream"));
    let key = if known { "upstream" } else { "other" };
    assert_eq!(adaptive["seawall_in_flight_limit "], "16", "{adaptive:?}");
    assert_eq!(adaptive[&format!("seawall_in_flight_limit key={key}")], "16", "{adaptive:?}");
    let fixed = told(async || learn(InFlightLimitLayer::new(most(8)), 8).await);
    assert_eq!(fixed, BTreeMap::new());
}

#[test]
fn calls_of_further_keys_than_there_is_room_for_are_counted_by_layer() {
    let told = told(async || {
        let request = |key: u32| {
            Request::get(format!("http://h{key}.example/")).body(Body::default()).unwrap()
        };
        // A key is kept while it has a failure, here, and a call under way, there.
        let mut breaker = CircuitBreakerLayer::new()
            .per_key(by_authority)
            .layer(upstream(flaky::Step::status(502)));
        let mut limit = InFlightLimitLayer::new(NonZeroU32::MIN)
            .per_key(by_authority)
            .layer(upstream(flaky::Step::silent()));
        let mut under_way = Vec::new();
        for key in 0..4_099 {
            breaker.call(request(key)).await.unwrap();
            under_way.push(limit.call(request(key)));
        }
        under_way.push(limit.call(request(4_099)));
    });
    let expected = [
        ("seawall_untracked_keys_total layer=circuit_breaker", "3"),
        ("seawall_untracked_keys_total layer=in_flight", "4"),
    ];
    assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[test]
fn a_circuit_that_made_room_for_others_is_told_as_closed() {
    let told = told(async || {
        let request =
            |host: &str| Request::get(format!("http://{host}/")).body(Body::default()).unwrap();
        let upstream = upstream(flaky::Step::status(502));
        let layer = CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::MIN);
        let layer = layer.per_key(by_authority);
        layer.layer(upstream.clone()).oneshot(request("forgotten")).await.unwrap();
        assert_eq!(layer.handle().get("forgotten").unwrap().state(), State::Open);
        upstream.set_script(flaky::Step::status(200)).unwrap();
        tokio::time::advance(Duration::from_secs(60)).await;
        for number in 0..4_097 {
            layer.layer(upstream.clone()).oneshot(request(&format!("h{number}"))).await.unwrap();
        }
        assert!(layer.handle().get("forgotten").is_none());
    });
    // In a process whose tests have made up as many keys before it is `other`.
    let value = |state| {
        let of = |key| told.get(&format!("seawall_circuit_state key={key},state={state}"));
        of("forgotten").or_else(|| of("other")).unwrap().as_str()
    };
    assert_eq!((value("open"), value("closed")), ("0", "1"));
}

#[test]
fn a_circuit_for_all_is_told_by_its_name() {
    let told = told(async || {
        // Settings that come after the name keep it.
        let layer = CircuitBreakerLayer::new().named("billing");
        let layer = layer.consecutive_failures(NonZeroU32::MIN);
        let client = layer.layer(answers(&[502]));
        client.clone().oneshot(get()).await.unwrap();
        let error = client.oneshot(get()).await.err().unwrap();
        let open = seawall::find_source::<CircuitOpen>(&*error).unwrap();
        assert_eq!(open.key(), Some("billing"));
    });
    let known = told.keys().any(|name| name.contains("key=billing"));
    let key = if known { "billing" } else { "other" };
    assert_eq!(told[&format!("seawall_circuit_rejections_total key={key}")], "1");
}

fn client() -> RequestDurationLayer {
    RequestDurationLayer::client()
}

/// What was described: name and unit.
#[derive(Default)]
struct Described(Mutex<BTreeMap<String, Option<Unit>>>);

impl Described {
    fn add(&self, name: &KeyName, unit: Option<Unit>, text: &SharedString) {
        assert!(!text.is_empty(), "{name:?}");
        self.0.lock().unwrap().insert(name.as_str().to_owned(), unit);
    }
}

impl Recorder for Described {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.add(&name, unit, &text);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.add(&name, unit, &text);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.add(&name, unit, &text);
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn a_recorder_is_told_what_each_of_them_is_and_its_unit() {
    let described = Described::default();
    metrics::with_local_recorder(&described, seawall::metrics::describe);
    let expected = [
        ("http.client.request.duration", Some(Unit::Seconds)),
        ("http.server.request.duration", Some(Unit::Seconds)),
        ("seawall_attempts_total", Some(Unit::Count)),
        ("seawall_circuit_rejections_total", Some(Unit::Count)),
        ("seawall_circuit_state", None),
        ("seawall_retries_exhausted_total", Some(Unit::Count)),
        ("seawall_in_flight_limit", Some(Unit::Count)),
        ("seawall_in_flight_rejections_total", Some(Unit::Count)),
        ("seawall_untracked_keys_total", Some(Unit::Count)),
        ("seawall_retries_total", Some(Unit::Count)),
        ("seawall_retry_budget_ratio", None),
    ];
    let expected = BTreeMap::from(expected.map(|(name, unit)| (name.to_owned(), unit)));
    assert_eq!(described.0.into_inner().unwrap(), expected);
}

/// "Metric: `http.server.request.duration`", in <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>.
#[test]
fn the_boundaries_of_durations_are_those_that_opentelemetry_advises() {
    let advised = "0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10";
    let ours = seawall::metrics::DURATION_BUCKETS.map(|it| it.to_string());
    assert_eq!(ours.join(", "), advised);
}

const OF_GET: &str = "http.client.request.duration http.request.method=GET";

#[test]
fn the_duration_of_a_request_is_told_with_what_became_of_it() {
    let told = told(async || {
        let client = client().layer(answers(&[200, 200, 404]));
        for _ in 0..3 {
            let response = client.clone().oneshot(get()).await.unwrap();
            response.into_body().collect().await.unwrap();
        }
    });
    let known = told.keys().any(|name| name.contains("=upstream"));
    let at = if known { "server.address=upstream,server.port=80" } else { "server.address=other" };
    let expected = [
        (format!("{OF_GET},http.response.status_code=200,{at}"), "2".to_owned()),
        (format!("{OF_GET},http.response.status_code=404,error.type=404,{at}"), "1".to_owned()),
    ];
    assert_eq!(told, expected.into());
}

#[test]
fn a_service_that_goes_from_one_place_to_another_tells_each() {
    const TURNS: [(&str, &str, &str); 6] = [
        ("http://one.example/", "one.example", "80"),
        ("https://one.example/", "one.example", "443"),
        ("http://one.example:8080/", "one.example", "8080"),
        ("http://two.example/", "two.example", "80"),
        ("http://ONE.example/", "one.example", "80"),
        ("http://user@one.example:8080/", "one.example", "8080"),
    ];
    let told = told(async || {
        let mut client = client().layer(answers(&[200; 13]));
        for (url, ..) in TURNS.iter().chain(&TURNS) {
            let request = Request::get(*url).body(Body::default()).unwrap();
            let response = client.call(request).await.unwrap();
            response.into_body().collect().await.unwrap();
        }
        // It says no place, whatever the one before said.
        let request = Request::get("/").body(Body::default()).unwrap();
        client.call(request).await.unwrap().into_body().collect().await.unwrap();
    });
    let of = format!("{OF_GET},http.response.status_code=200");
    let mut expected = BTreeMap::from([(of.clone(), 1)]);
    for (_, host, port) in TURNS {
        let known = told.keys().any(|name| name.ends_with(&format!("={host},server.port={port}")));
        let at = if known {
            format!("server.address={host},server.port={port}")
        } else {
            "server.address=other".to_owned()
        };
        *expected.entry(format!("{of},{at}")).or_default() += 2;
    }
    let expected = expected.into_iter().map(|(name, count)| (name, count.to_string())).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_servers_404_is_no_error_and_its_route_is_told() {
    let told = told(async || {
        let layer = RequestDurationLayer::server().route_fn(|_| Some("/orders/{id}".into()));
        let server = layer.layer(answers(&[404, 503]));
        for _ in 0..2 {
            let mut request = get();
            *request.method_mut() = "BREW".parse().unwrap();
            drop(server.clone().oneshot(request).await.unwrap());
        }
    });
    let of = "http.server.request.duration http.request.method=_OTHER";
    let expected = [
        (
            format!("{of},http.response.status_code=404,url.scheme=http,http.route=/orders/{{id}}"),
            "1".to_owned(),
        ),
        (
            format!(
                "{of},http.response.status_code=503,error.type=503,url.scheme=http,http.route=/orders/{{id}}"
            ),
            "1".to_owned(),
        ),
    ];
    assert_eq!(told, expected.into());
}

#[test]
fn what_fails_says_why_and_who_gives_up_is_told_without_an_error() {
    let told = told(async || {
        let refused = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let broken = Response::new(Steps::new([Step::Data("half".into()), Step::Error]));
        let endless = Response::new(Steps::new([Step::Stall]));
        let acts =
            [Act::Fail(refused().into()), Act::Answer(broken), Act::Answer(endless), Act::Hang];
        let client = client().layer(Script::new(acts));
        let local = || Request::get("/").body(Body::default()).unwrap();
        client.clone().oneshot(local()).await.err().unwrap();
        let response = client.clone().oneshot(local()).await.unwrap();
        response.into_body().collect().await.err().unwrap();
        drop(client.clone().oneshot(local()).await.unwrap());
        tokio::time::timeout(Duration::from_secs(1), client.oneshot(local())).await.unwrap_err();
    });
    let expected = [
        (format!("{OF_GET},error.type=connection_refused"), "1".to_owned()),
        (
            format!("{OF_GET},http.response.status_code=200,error.type=http_response_incomplete"),
            "1".to_owned(),
        ),
        (format!("{OF_GET},http.response.status_code=200"), "1".to_owned()),
        (OF_GET.to_owned(), "1".to_owned()),
    ];
    assert_eq!(told, expected.into());
}
