//! Which circuit and which budget a request has, when one service is sent to several.

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
    circuit_breaker::{CircuitBreakerLayer, State, by_authority},
    retry::{Backoff, Budget, RetryLayer},
    standard::StandardLayer,
};
use tower::{Layer, ServiceExt};

use super::*;

/// Some of one key, of which `Billing` is the stack's name.
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
    for (failing, first) in URLS.iter().flat_map(|url| URLS.map(|first| (url, first))) {
        let failing = key(&failing.parse().unwrap());
        let down = failing.clone();
        let client = service_fn(move |request: Request<ReplayBody<Body>>| {
            let answer = status(if key(request.uri()) == down { 503 } else { 200 });
            async { Ok::<_, BoxError>(answer) }
        });
        let breaker = CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::MIN);
        let layer = StandardLayer::new("Billing").circuit_breaker(breaker).retry(None);
        let mut client = layer.layer(client);
        // Twice, so that its key is remembered; and then again before each of the others.
        for url in URLS.iter().flat_map(|url| [first, first, url]) {
            let is_down = key(&url.parse().unwrap()) == failing;
            match client.ready().await.unwrap().call(get(url)).await {
                Ok(response) => assert_eq!(response.status() == 503, is_down, "{first} {url}"),
                Err(_) => assert!(is_down, "{first} {url}"),
            }
        }
        for circuit in layer.circuits().all() {
            let is_open = circuit.state() == State::Open;
            assert_eq!(is_open, circuit.key() == Some(&*failing), "{first} {circuit:?}");
        }
    }
}

/// Answers as it is told, and counts.
#[derive(Clone)]
struct Upstream {
    status: Arc<AtomicU16>,
    asked: Arc<AtomicUsize>,
}

impl Upstream {
    fn new() -> Self {
        Self { status: Arc::new(AtomicU16::new(200)), asked: Arc::default() }
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Relaxed);
    }

    /// How often it was asked since this was asked last.
    fn asked(&self) -> usize {
        self.asked.swap(0, Relaxed)
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
        let Self { status: answer, asked } = self.clone();
        service_fn(move |_: Request<ReplayBody<Body>>| {
            asked.fetch_add(1, Relaxed);
            let answer = status(answer.load(Relaxed));
            async { Ok(answer) }
        })
    }
}

/// One retry for each key, and no more.
fn one_retry() -> Budget {
    Budget::new(Ratio::percent(0), 1)
}

fn retrying() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

#[tokio::test(start_paused = true)]
async fn stack_charges_budget_of_custom_key() {
    let upstream = Upstream::new();
    let retry = retrying().budget_per_key(one_retry(), |uri| {
        if uri.path() == "/write" { Some("write".into()) } else { by_authority(uri) }
    });
    let mut client = StandardLayer::new("Billing").retry(retry).layer(upstream.service());
    for (url, answer, asked) in [
        // Twice, so that its key is remembered.
        ("http://a:9000/read", 200, 1),
        ("http://a:9000/read", 200, 1),
        ("http://a:9000/write", 503, 2),
        ("http://a:9000/read", 503, 2),
        ("http://a:9000/write", 503, 1),
        ("http://a:9000/read", 503, 1),
    ] {
        upstream.answers(answer);
        client.ready().await.unwrap().call(get(url)).await.unwrap();
        assert_eq!(upstream.asked(), asked, "{url} {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn stack_charges_budget_of_own_key_after_panic() {
    let upstream = Upstream::new();
    let panics = Arc::new(AtomicBool::new(false));
    let panicking = Arc::clone(&panics);
    // Of the budget of each authority, three retries in ten seconds.
    let layer =
        StandardLayer::new("Billing").retry(retrying().max_retries(1)).map_body(move |body| {
            assert!(!panicking.load(Relaxed), "as it was told");
            body
        });
    let mut client = layer.layer(upstream.service());
    for url in ["http://a:9000/"; 2] {
        client.ready().await.unwrap().call(get(url)).await.unwrap();
    }
    panics.store(true, Relaxed);
    let client = client.ready().await.unwrap();
    catch_unwind(AssertUnwindSafe(|| client.call(get("http://b:9000/")))).unwrap_err();
    panics.store(false, Relaxed);
    upstream.answers(503);
    let a = ["http://a:9000/"; 4].into_iter().zip([2, 2, 2, 1]);
    for (url, asked) in a.chain([("http://b:9000/", 2)]) {
        upstream.asked();
        client.ready().await.unwrap().call(get(url)).await.unwrap();
        assert_eq!(upstream.asked(), asked, "{url}");
    }
}
