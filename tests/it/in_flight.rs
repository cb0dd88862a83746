//! `InFlightLimitLayer`: no more calls at once than the limit, each to the end of its response's body.

use std::{num::NonZeroU32, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use seawall::{
    BoxError, Cause, CircuitBreakerLayer, ErrorResponseLayer, InFlightLimitLayer, Processed,
    RetryLayer,
    circuit_breaker::State,
    classify::classify_error,
    find_source,
    in_flight::{AdaptiveLimit, LimitReached, by_authority},
    test_util::{FlakyBody, FlakyService, Step},
};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Step as Part, Steps, response, upstream};

type Body = Full<Bytes>;

fn most(most: u32) -> NonZeroU32 {
    NonZeroU32::new(most).unwrap()
}

fn get() -> Request<Body> {
    get_from("http://upstream/")
}

fn get_from(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::default()).unwrap()
}

fn hangs() -> FlakyService {
    upstream(Step::silent())
}

#[tokio::test(start_paused = true)]
async fn the_call_beyond_the_limit_is_refused_at_once_and_says_so() {
    let script = hangs();
    let layer = InFlightLimitLayer::new(most(3));
    let service = layer.layer(script.clone());
    let mut calls: Vec<_> = (0..3).map(|_| task::spawn(service.clone().oneshot(get()))).collect();
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    let error = service.clone().oneshot(get()).await.unwrap_err();
    let shed = find_source::<LimitReached>(&*error).unwrap();
    assert_eq!((shed.key(), shed.limit()), (None, most(3)));
    assert_eq!(error.to_string(), "3 calls are under way");
    let failure = classify_error(&*error);
    assert_eq!(failure.cause(), Cause::ConnectionLimitReached);
    assert_eq!(failure.processed(), Processed::No);
    assert_eq!(failure.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!((script.requests(), layer.in_flight()), (3, 3));
    drop(calls.pop());
    assert_eq!(layer.in_flight(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_held_to_the_end_of_the_body() {
    let layer = InFlightLimitLayer::new(most(1));
    let inner = service_fn(|_: Request<Body>| {
        let steps = [Part::Data("a".into()), Part::Data("b".into())];
        std::future::ready(Ok::<_, BoxError>(Response::new(Steps::new(steps))))
    });
    let service = layer.layer(inner);
    // Read to its end.
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(layer.in_flight(), 1);
    assert!(service.clone().oneshot(get()).await.is_err());
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ab");
    assert_eq!(layer.in_flight(), 0);
    // Dropped half way.
    let mut body = Box::pin(service.clone().oneshot(get()).await.unwrap().into_body());
    body.frame().await.unwrap().unwrap();
    assert_eq!(layer.in_flight(), 1);
    drop(body);
    assert_eq!(layer.in_flight(), 0);
    // Without a body, or with one that fails.
    for steps in [vec![], vec![Part::Error]] {
        let inner = service_fn(move |_: Request<Body>| {
            std::future::ready(Ok::<_, BoxError>(Response::new(Steps::new(steps.clone()))))
        });
        let response = layer.layer(inner).oneshot(get()).await.unwrap();
        let _ = response.into_body().collect().await;
        assert_eq!(layer.in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_or_a_panic_gives_the_place_back() {
    let layer = InFlightLimitLayer::new(most(1));
    layer.layer(upstream(Step::reset())).oneshot(get()).await.unwrap_err();
    assert_eq!(layer.in_flight(), 0);
    let panics =
        service_fn(|_: Request<Body>| -> std::future::Ready<Result<Response<Body>, BoxError>> {
            panic!("on purpose")
        });
    let call = tokio::spawn(layer.layer(panics).oneshot(get()));
    assert!(call.await.unwrap_err().is_panic());
    assert_eq!(layer.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_kept_after_its_error_holds_no_place() {
    let layer = InFlightLimitLayer::new(most(1));
    let mut call = task::spawn(layer.layer(upstream(Step::refuse())).call(get()));
    assert!(call.poll().is_ready());
    assert_eq!(layer.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_limit_of_its_own_and_requests_without_one_have_none() {
    let script = hangs();
    let layer = InFlightLimitLayer::new(most(1)).per_key(by_authority);
    let service = layer.layer(script);
    let mut calls = Vec::new();
    let mut is_refused = |uri| {
        let mut call = task::spawn(service.clone().oneshot(get_from(uri)));
        let refused = match call.poll() {
            std::task::Poll::Ready(outcome) => Some(outcome.unwrap_err()),
            std::task::Poll::Pending => None,
        };
        calls.push(call);
        refused
    };
    assert!(is_refused("http://a/").is_none());
    assert!(is_refused("http://b/").is_none());
    let error = is_refused("http://a/x").unwrap();
    assert_eq!(find_source::<LimitReached>(&*error).unwrap().key(), Some("a"));
    assert_eq!(error.to_string(), "1 calls are under way for \"a\"");
    for _ in 0..50 {
        assert!(is_refused("/").is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_http_has_a_limit_until_its_response() {
    let layer = InFlightLimitLayer::new(most(1))
        .until_response()
        .per_request_key(|request: &String| Some(request.as_str().into()));
    let service = layer.layer(service_fn(async |request: String| match &*request {
        "hang" => std::future::pending().await,
        _ => Ok::<_, BoxError>(request),
    }));
    for _ in 0..3 {
        assert_eq!(service.clone().oneshot("hi".into()).await.unwrap(), "hi");
    }
    let mut call = task::spawn(service.clone().oneshot("hang".into()));
    assert_pending!(call.poll());
    assert!(service.oneshot("hang".into()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_shed_does_not_keep_the_inner_permit() {
    let script = hangs();
    let limited = ServiceBuilder::new().concurrency_limit(2).service(script.clone());
    let layer = InFlightLimitLayer::new(most(1));
    let mut busy = task::spawn(layer.layer(limited.clone()).oneshot(get()));
    assert_pending!(busy.poll());
    let mut service = layer.layer(limited.clone());
    let ready = ServiceExt::<Request<Body>>::ready(&mut service).await.unwrap();
    assert!(ready.call(get()).await.is_err());
    // The second permit is free, though `service` still lives.
    let mut other = limited;
    let ready = ServiceExt::<Request<Body>>::ready(&mut other);
    assert!(task::spawn(ready).poll().is_ready());
    drop(service);
}

#[tokio::test(start_paused = true)]
async fn what_is_shed_is_not_retried_does_not_count_for_the_breaker_and_is_answered_503() {
    let script = hangs();
    let limit = InFlightLimitLayer::new(most(1));
    let breaker = CircuitBreakerLayer::new().min_calls(1);
    let stack = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(RetryLayer::new())
        .layer(breaker.clone())
        .layer(limit)
        .service(script.clone());
    let mut busy = task::spawn(stack.clone().oneshot(get()));
    assert_pending!(busy.poll());
    let response = stack.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["proxy-status"], "edge;error=connection_limit_reached");
    assert_eq!((script.requests(), breaker.handle().state()), (1, State::Closed));
    assert_eq!(breaker.handle().snapshot().calls(), 0);
}

/// Real threads, so that calls truly overlap.
#[test]
fn many_threads_never_have_more_calls_under_way_than_the_limit() {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    let layer = InFlightLimitLayer::new(most(3));
    let (now, highest) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let inner = service_fn(async |_: Request<Body>| {
                    let calls = now.fetch_add(1, Ordering::SeqCst) + 1;
                    highest.fetch_max(calls, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok::<_, BoxError>(response::<Body>(200))
                });
                let service = layer.layer(inner);
                runtime.block_on(async {
                    for _ in 0..2_000 {
                        let calls = (0..4).map(|_| service.clone().oneshot(get()));
                        futures_util::future::join_all(calls).await;
                    }
                });
            });
        }
    });
    assert_eq!((highest.load(Ordering::SeqCst), layer.in_flight()), (3, 0));
}

/// Keeps `wanted` calls under way for so long, each answered after `takes`; and how many were refused.
async fn keep_busy(
    layer: &InFlightLimitLayer,
    wanted: usize,
    takes: Duration,
    time: Duration,
) -> usize {
    keep_busy_with(layer, wanted, upstream(Step::status(200).delay(takes)), time).await
}

async fn keep_busy_with<S>(
    layer: &InFlightLimitLayer,
    wanted: usize,
    inner: S,
    time: Duration,
) -> usize
where
    S: Service<Request<Body>, Response = Response<FlakyBody>, Error = BoxError> + Clone,
{
    let service = layer.layer(inner);
    let until = tokio::time::Instant::now() + time;
    let callers = (0..wanted).map(|_| async {
        let mut refused = 0;
        while tokio::time::Instant::now() < until {
            let Err(error) = service.clone().oneshot(get()).await else { continue };
            if find_source::<LimitReached>(&*error).is_some() {
                refused += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        refused
    });
    futures_util::future::join_all(callers).await.into_iter().sum()
}

fn adaptive() -> AdaptiveLimit {
    AdaptiveLimit::new().initial(most(20)).min(most(5)).max(most(60))
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_grows_as_long_as_it_is_in_the_way_and_nothing_is_slow() {
    let layer = InFlightLimitLayer::adaptive(adaptive());
    assert_eq!(layer.limit(), most(20));
    let ms = Duration::from_millis;
    assert!(keep_busy(&layer, 50, ms(20), Duration::from_secs(3)).await > 0);
    assert!(layer.limit() >= most(50), "{}", layer.limit());
    assert_eq!(keep_busy(&layer, 50, ms(20), Duration::from_secs(3)).await, 0);
    keep_busy(&layer, 200, ms(20), Duration::from_secs(3)).await;
    assert_eq!(layer.limit(), most(60));
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_shrinks_when_responses_take_longer_and_tells_who_is_refused() {
    let layer = InFlightLimitLayer::adaptive(adaptive());
    let ms = Duration::from_millis;
    keep_busy(&layer, 15, ms(20), Duration::from_secs(3)).await;
    let before = layer.limit();
    keep_busy(&layer, 200, ms(500), Duration::from_secs(2)).await;
    let limit = layer.limit();
    assert!(limit < before, "{limit} of {before}");
    let service = layer.layer(hangs());
    let mut calls: Vec<_> = Vec::new();
    let error = loop {
        let mut call = task::spawn(service.clone().oneshot(get()));
        match call.poll() {
            std::task::Poll::Pending => calls.push(call),
            std::task::Poll::Ready(outcome) => break outcome.unwrap_err(),
        }
    };
    assert_eq!(find_source::<LimitReached>(&*error).unwrap().limit(), limit);
    assert_eq!(calls.len() as u32, limit.get());
}

/// One that has learned that 20 ms are normal.
async fn at_ease() -> (InFlightLimitLayer, NonZeroU32) {
    let layer = InFlightLimitLayer::adaptive(adaptive());
    keep_busy(&layer, 15, Duration::from_millis(20), Duration::from_secs(3)).await;
    let limit = layer.limit();
    (layer, limit)
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_dropped_teach_an_adaptive_limit_nothing() {
    let (layer, limit) = at_ease().await;
    for _ in 0..10 {
        let service = layer.layer(hangs());
        let mut calls: Vec<_> =
            (0..limit.get()).map(|_| task::spawn(service.clone().oneshot(get()))).collect();
        for call in &mut calls {
            assert_pending!(call.poll());
        }
        tokio::time::advance(Duration::from_secs(2)).await;
    }
    assert_eq!((layer.limit(), layer.in_flight()), (limit, 0));
}

/// Whatever says that an upstream did not do its work.
fn failures() -> [Step; 4] {
    [Step::reset(), Step::status(429), Step::status(500), Step::status(503)]
}

#[tokio::test(start_paused = true)]
async fn failures_that_come_soon_teach_an_adaptive_limit_nothing() {
    let ms = Duration::from_millis;
    for failure in failures() {
        let (layer, limit) = at_ease().await;
        keep_busy_with(&layer, 15, upstream(failure.clone().delay(ms(1))), ms(500)).await;
        assert_eq!(layer.limit(), limit, "{failure:?}");
        // What is normal is still 20 ms, so 35 is not slow.
        keep_busy(&layer, 30, ms(35), ms(300)).await;
        assert!(layer.limit() > limit, "{failure:?}: {} of {limit}", layer.limit());
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_come_late_shrink_an_adaptive_limit() {
    let ms = Duration::from_millis;
    for failure in failures() {
        let (layer, limit) = at_ease().await;
        keep_busy_with(&layer, 30, upstream(failure.clone().delay(ms(2_000))), ms(6_000)).await;
        assert!(layer.limit() < limit, "{failure:?}: {} of {limit}", layer.limit());
    }
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_does_not_take_a_queue_for_normal_while_calls_are_refused() {
    let layer = InFlightLimitLayer::adaptive(adaptive());
    let works = upstream(Step::status(200).delay(Duration::from_millis(20)));
    let works = ServiceBuilder::new().concurrency_limit(10).service(works);
    // Waits for one of its ten workers once it is called.
    let works = service_fn(move |request| works.clone().oneshot(request));
    keep_busy_with(&layer, 8, works.clone(), Duration::from_secs(3)).await;
    assert!(keep_busy_with(&layer, 50, works, Duration::from_secs(20)).await > 0);
    // Twice the workers, and the square root of that.
    assert!(layer.limit() < most(30), "{}", layer.limit());
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_of_one_call_grows_when_it_is_in_the_way() {
    let layer = InFlightLimitLayer::adaptive(adaptive().initial(most(1)).min(most(1)));
    keep_busy(&layer, 5, Duration::from_millis(20), Duration::from_secs(3)).await;
    assert!(layer.limit() >= most(5), "{}", layer.limit());
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_changes_once_in_the_time_that_a_response_takes() {
    let layer = InFlightLimitLayer::adaptive(adaptive());
    let busy = keep_busy(&layer, 50, Duration::from_secs(1), Duration::from_secs(10));
    let mut busy = task::spawn(busy);
    // From the first responses to the next.
    for has_grown in [false, true] {
        assert_pending!(busy.poll());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_pending!(busy.poll());
        assert_eq!(layer.limit() > most(20), has_grown);
    }
}

#[test]
fn an_adaptive_limit_begins_within_its_bounds() {
    for (initial, first) in [(1, 5), (9_999, 60)] {
        let layer = InFlightLimitLayer::adaptive(adaptive().initial(most(initial)));
        assert_eq!(layer.limit(), most(first));
    }
}

#[tokio::test(start_paused = true)]
async fn each_key_has_an_adaptive_limit_of_its_own() {
    let layer = InFlightLimitLayer::adaptive(adaptive().initial(most(5))).per_key(by_authority);
    let service = layer.layer(hangs());
    for uri in ["http://a/", "http://b/"] {
        let mut calls: Vec<_> =
            (0..5).map(|_| task::spawn(service.clone().oneshot(get_from(uri)))).collect();
        for call in &mut calls {
            assert_pending!(call.poll());
        }
        let error = service.clone().oneshot(get_from(uri)).await.unwrap_err();
        assert_eq!(find_source::<LimitReached>(&*error).unwrap().limit(), most(5));
    }
}
