//! Which circuit a request has, when one service is sent to several.

use std::num::NonZeroU32;

use seawall::{
    CircuitBreakerLayer, StandardLayer,
    circuit_breaker::{State, by_authority},
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
async fn each_request_has_the_circuit_of_its_own_key_whatever_went_before() {
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
