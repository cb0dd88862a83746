//! Concurrent calls while the configuration is replaced repeatedly.

use std::sync::atomic::AtomicBool;

use futures_util::future::join_all;
use seawall::circuit_breaker::State;
use tokio::time::sleep;
use tower::service_fn;

use super::*;

/// Returns a configuration whose settings all differ from those of the previous turn.
fn config_of_turn(turn: usize) -> Config {
    let routes = ["", "[[route]]\nprefix = \"http://a/x\"\n", "[[route]]\nprefix = \"http://a\"\n"];
    let retry = ["retry = { total = 5, budget = \"off\" }", "retry.budget = \"off\""][turn % 2];
    config(&format!(
        "[default]\n{retry}\nin_flight = {}\ntimeouts.total = \"{}s\"\ncircuit_breaker.min_calls = {}\n{}",
        2_000 + turn,
        40 + turn % 7,
        100_000 + turn % 5,
        routes[turn % routes.len()],
    ))
}

#[tokio::test(start_paused = true)]
async fn client_answers_each_call_when_config_changes() {
    let requests = Arc::new(AtomicUsize::new(0));
    let upstream = {
        let requests = Arc::clone(&requests);
        service_fn(move |request: Request<ReplayBody<Body>>| {
            requests.fetch_add(1, Ordering::SeqCst);
            let number: u64 = request.uri().query().unwrap().parse().unwrap();
            async move {
                sleep(Duration::from_millis(number % 97)).await;
                Ok::<_, Infallible>(Response::new(Body::from(number.to_string())))
            }
        })
    };
    let layer = ConfiguredLayer::new(StandardLayer::new("test"), config_of_turn(0));
    let (client, handle) = (layer.layer(upstream), layer.handle());
    let calls = join_all((0..1_000_u64).map(|number| {
        let client = client.clone();
        async move {
            sleep(Duration::from_millis(number % 53)).await;
            let path = ["", "x", "x/y", "y"][number as usize % 4];
            let response = client.oneshot(get(&format!("http://a/{path}?{number}"))).await.unwrap();
            let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap();
            assert_eq!(body.to_bytes(), number.to_string());
        }
    }));
    let replacements = async {
        for turn in 1..150 {
            sleep(Duration::from_millis(1)).await;
            handle.replace(&config_of_turn(turn));
        }
    };
    tokio::join!(calls, replacements);
    assert_eq!(requests.load(Ordering::SeqCst), 1_000);
}

/// Uses real threads to find races between them. The test does not depend on time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn client_answers_each_call_when_threads_replace_config() {
    let upstream = Upstream::new(200);
    let layer = ConfiguredLayer::new(StandardLayer::new("test"), config_of_turn(0));
    let (client, handle) = (layer.layer(upstream.clone()), layer.handle());
    let done = Arc::new(AtomicBool::new(false));
    let replacers: Vec<_> = (0..2)
        .map(|first| {
            let (handle, done) = (handle.clone(), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut turn = first;
                while !done.load(Ordering::SeqCst) {
                    handle.replace(&config_of_turn(turn));
                    turn += 1;
                }
                turn - first
            })
        })
        .collect();
    let calls = join_all((0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..200 {
                let response = client.clone().oneshot(get("http://a/x")).await.unwrap();
                assert_eq!(response.status(), StatusCode::OK);
                tokio::task::yield_now().await;
            }
        })
    }));
    for call in calls.await {
        call.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    for thread in replacers {
        assert!(thread.join().unwrap() > 0);
    }
    assert_eq!(upstream.requests(), 4_000);
}

#[tokio::test]
async fn handle_keeps_circuit_when_replaced_concurrently() {
    let breaker =
        "circuit_breaker = { consecutive_failures = 1, open_for = \"1h\", open_max = \"1h\" }";
    let config_with_total = |total| {
        config(&format!("[default]\nretry = \"off\"\n{breaker}\ntimeouts.total = \"{total}s\""))
    };
    let layer = ConfiguredLayer::new(StandardLayer::new("test"), config_with_total(20));
    let client = layer.layer(Upstream::new(503));
    client.clone().oneshot(get("http://a/")).await.unwrap();
    let circuit = layer.handle().circuits()[0].1.get("a").unwrap();
    assert_eq!(circuit.state(), State::Open);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let handle = layer.handle();
            scope.spawn(move || {
                (0..200).for_each(|turn| handle.replace(&config_with_total(20 + thread + turn)));
            });
        }
    });
    assert!(client.oneshot(get("http://a/")).await.is_err());
    circuit.force_closed();
    assert_eq!(layer.handle().circuits()[0].1.get("a").unwrap().state(), circuit.state());
}
