//! Tests which circuit and which budget a request uses if one service calls several upstreams.

use std::{
    num::NonZeroU32,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering::Relaxed},
    },
};

use seawall::{
    Ratio,
    circuit_breaker::{CircuitBreakerLayer, State},
    keys::by_authority,
    retry::{Backoff, Budget, RetryLayer},
    standard::StandardLayer,
};
use tower::{Layer, ServiceExt};

use super::*;

/// URLs, some of which have the same key. A URL without a host has the name of the stack, `Billing`,
/// as its key. No host has this key, because hosts are in lower case.
const URLS: [&str; 16] = [
    "http://a/",
    "http://A:080/",
    "http://user:pass@a:/",
    "http://a:443/",
    "https://a:0443/",
    "https://a:80/",
    "http://[::1]/",
    "http://[::1]:80/",
    "https://[::1]:80/",
    "https://[::1]/",
    "http://a:8080/",
    "https://a:8080/",
    "/x",
    "http://billing/",
    "http://Billing/",
    "http://billing:80/",
];

fn key(uri: &http::Uri) -> String {
    by_authority(uri).map_or("Billing".to_owned(), std::borrow::Cow::into_owned)
}

#[tokio::test(start_paused = true)]
async fn stack_uses_circuit_of_request_key() {
    for (failing_url, cached_url) in URLS.iter().flat_map(|url| URLS.map(|cached| (url, cached))) {
        let failing_key = key(&failing_url.parse().unwrap());
        let upstream = {
            let failing_key = failing_key.clone();
            service_fn(move |request: Request<ReplayBody<Body>>| {
                let response = status(if key(request.uri()) == failing_key { 503 } else { 200 });
                async { Ok::<_, BoxError>(response) }
            })
        };
        let breaker = CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::MIN);
        let layer = StandardLayer::new("Billing").circuit_breaker(breaker).without_retry();
        let mut client = layer.layer(upstream);
        // Two calls of `cached_url` precede each URL, so the stack could have cached its key.
        for url in URLS.iter().flat_map(|url| [cached_url, cached_url, url]) {
            let should_fail = key(&url.parse().unwrap()) == failing_key;
            let label = format!("failing key {failing_key}, call of {url} after {cached_url}");
            match client.ready().await.unwrap().call(get(url)).await {
                Ok(response) => assert_eq!(response.status() == 503, should_fail, "{label}"),
                Err(_) => assert!(should_fail, "{label}"),
            }
        }
        for circuit in layer.circuits().all() {
            let is_open = circuit.state() == State::Open;
            let should_be_open = circuit.key() == Some(&*failing_key);
            assert_eq!(is_open, should_be_open, "calls after {cached_url}, circuit {circuit:?}");
        }
    }
}

/// An upstream with a settable status and a request counter.
#[derive(Clone)]
struct Upstream {
    status: Arc<AtomicU16>,
    requests: Arc<AtomicUsize>,
}

impl Upstream {
    fn new() -> Self {
        Self { status: Arc::new(AtomicU16::new(200)), requests: Arc::default() }
    }

    fn set_status(&self, status: u16) {
        self.status.store(status, Relaxed);
    }

    /// Returns the number of requests since the last call of this method.
    fn take_requests(&self) -> usize {
        self.requests.swap(0, Relaxed)
    }

    fn service(
        &self,
    ) -> impl Service<
        Request<ReplayBody<Body>>,
        Response = http::Response<Body>,
        Error = BoxError,
        Future: Send,
    > + Clone
    + Send
    + 'static {
        let Self { status: current_status, requests } = self.clone();
        service_fn(move |_: Request<ReplayBody<Body>>| {
            requests.fetch_add(1, Relaxed);
            let response = status(current_status.load(Relaxed));
            async { Ok(response) }
        })
    }
}

/// Returns a budget of one retry per key.
fn one_retry() -> Budget {
    Budget::new(Ratio::percent(0), 1)
}

fn immediate_retry() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

#[tokio::test(start_paused = true)]
async fn stack_charges_budget_of_custom_key() {
    let upstream = Upstream::new();
    let retry = immediate_retry().budget_per_key(one_retry(), |uri| {
        if uri.path() == "/write" { Some("write".into()) } else { by_authority(uri) }
    });
    let mut client = StandardLayer::new("Billing").retry(retry).layer(upstream.service());
    for (url, response_status, requests) in [
        // The second call may cache the key. The third call must not use it.
        ("http://a:9000/read", 200, 1),
        ("http://a:9000/read", 200, 1),
        ("http://a:9000/write", 503, 2),
        ("http://a:9000/read", 503, 2),
        ("http://a:9000/write", 503, 1),
        ("http://a:9000/read", 503, 1),
    ] {
        upstream.set_status(response_status);
        client.ready().await.unwrap().call(get(url)).await.unwrap();
        assert_eq!(
            upstream.take_requests(),
            requests,
            "requests for a call of {url} with status {response_status}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn call_after_panic_does_not_use_key_of_panicked_call() {
    let upstream = Upstream::new();
    let should_panic = Arc::new(AtomicBool::new(false));
    let map_body_panics = Arc::clone(&should_panic);
    // The default budget of each authority allows three retries in ten seconds.
    let layer = StandardLayer::new("Billing").retry(immediate_retry().max_retries(1)).map_body(
        move |body| {
            assert!(!map_body_panics.load(Relaxed), "map_body panics");
            body
        },
    );
    let mut client = layer.layer(upstream.service());
    for url in ["http://a:9000/"; 2] {
        client.ready().await.unwrap().call(get(url)).await.unwrap();
    }
    should_panic.store(true, Relaxed);
    let client = client.ready().await.unwrap();
    catch_unwind(AssertUnwindSafe(|| client.call(get("http://b:9000/")))).unwrap_err();
    should_panic.store(false, Relaxed);
    upstream.set_status(503);
    let calls_to_a = ["http://a:9000/"; 4].into_iter().zip([2, 2, 2, 1]);
    for (url, requests) in calls_to_a.chain([("http://b:9000/", 2)]) {
        upstream.take_requests();
        client.ready().await.unwrap().call(get(url)).await.unwrap();
        assert_eq!(upstream.take_requests(), requests, "requests for a call of {url}");
    }
}
