//! Tests of `AdaptiveLimit`, a limit that follows the latency of the upstream.

use std::{num::NonZeroU32, time::Duration};

use http::{Request, Response};
use seawall::{
    BoxError, find_source,
    in_flight::{AdaptiveLimit, InFlightLimitLayer, LimitReached},
    keys::by_authority,
    test_util::{FlakyBody, Step},
};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::{Body, get, get_from, max_calls, silent_upstream};
use crate::support::upstream;

/// Keeps `calls` calls in flight for `duration` and returns the number of rejections.
///
/// The upstream responds after `latency`.
async fn keep_busy(
    layer: &InFlightLimitLayer,
    calls: usize,
    latency: Duration,
    duration: Duration,
) -> usize {
    keep_busy_with(layer, calls, upstream(Step::status(200).delay(latency)), duration).await
}

async fn keep_busy_with<S>(
    layer: &InFlightLimitLayer,
    calls: usize,
    inner: S,
    duration: Duration,
) -> usize
where
    S: Service<Request<Body>, Response = Response<FlakyBody>, Error = BoxError> + Clone,
{
    let service = layer.layer(inner);
    let end = tokio::time::Instant::now() + duration;
    let callers = (0..calls).map(|_| async {
        let mut rejections = 0;
        while tokio::time::Instant::now() < end {
            let Err(error) = service.clone().oneshot(get()).await else { continue };
            if find_source::<LimitReached>(&*error).is_some() {
                rejections += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        rejections
    });
    futures_util::future::join_all(callers).await.into_iter().sum()
}

fn limit_settings() -> AdaptiveLimit {
    AdaptiveLimit::new().initial(max_calls(20)).min(max_calls(5)).max(max_calls(60))
}

#[tokio::test(start_paused = true)]
async fn limit_grows_on_rejections_when_latency_is_stable() {
    let layer = InFlightLimitLayer::adaptive(limit_settings());
    assert_eq!(layer.limit(), max_calls(20));
    let ms = Duration::from_millis;
    assert!(keep_busy(&layer, 50, ms(20), Duration::from_secs(3)).await > 0);
    assert!(layer.limit() >= max_calls(50), "{}", layer.limit());
    assert_eq!(keep_busy(&layer, 50, ms(20), Duration::from_secs(3)).await, 0);
    keep_busy(&layer, 200, ms(20), Duration::from_secs(3)).await;
    assert_eq!(layer.limit(), max_calls(60));
}

#[tokio::test(start_paused = true)]
async fn limit_shrinks_with_latency_and_rejection_reports_limit() {
    let layer = InFlightLimitLayer::adaptive(limit_settings());
    let ms = Duration::from_millis;
    keep_busy(&layer, 15, ms(20), Duration::from_secs(3)).await;
    let initial_limit = layer.limit();
    keep_busy(&layer, 200, ms(500), Duration::from_secs(2)).await;
    let limit = layer.limit();
    assert!(limit < initial_limit, "expected less than {initial_limit}, found {limit}");
    let service = layer.layer(silent_upstream());
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

/// Returns a layer that has measured a latency of 20 ms, and its limit.
async fn trained_layer() -> (InFlightLimitLayer, NonZeroU32) {
    let layer = InFlightLimitLayer::adaptive(limit_settings());
    keep_busy(&layer, 15, Duration::from_millis(20), Duration::from_secs(3)).await;
    let limit = layer.limit();
    (layer, limit)
}

#[tokio::test(start_paused = true)]
async fn dropped_calls_do_not_change_limit() {
    let (layer, limit) = trained_layer().await;
    for _ in 0..10 {
        let service = layer.layer(silent_upstream());
        let mut calls: Vec<_> =
            (0..limit.get()).map(|_| task::spawn(service.clone().oneshot(get()))).collect();
        for call in &mut calls {
            assert_pending!(call.poll());
        }
        tokio::time::advance(Duration::from_secs(2)).await;
    }
    assert_eq!((layer.limit(), layer.in_flight()), (limit, 0));
}

/// Returns outcomes of an upstream that did not process the request.
fn failures() -> [Step; 4] {
    [Step::reset(), Step::status(429), Step::status(500), Step::status(503)]
}

#[tokio::test(start_paused = true)]
async fn fast_failures_do_not_change_limit() {
    let ms = Duration::from_millis;
    for failure in failures() {
        let (layer, limit) = trained_layer().await;
        keep_busy_with(&layer, 15, upstream(failure.clone().delay(ms(1))), ms(500)).await;
        assert_eq!(layer.limit(), limit, "{failure:?}");
        // The baseline is still 20 ms, so 35 ms is not slow.
        keep_busy(&layer, 30, ms(35), ms(300)).await;
        assert!(
            layer.limit() > limit,
            "{failure:?}: expected more than {limit}, found {}",
            layer.limit()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn slow_failures_shrink_limit() {
    let ms = Duration::from_millis;
    for failure in failures() {
        let (layer, limit) = trained_layer().await;
        keep_busy_with(&layer, 30, upstream(failure.clone().delay(ms(2_000))), ms(6_000)).await;
        assert!(
            layer.limit() < limit,
            "{failure:?}: expected less than {limit}, found {}",
            layer.limit()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn baseline_excludes_queueing_while_calls_are_rejected() {
    let layer = InFlightLimitLayer::adaptive(limit_settings());
    let workers = upstream(Step::status(200).delay(Duration::from_millis(20)));
    let workers = ServiceBuilder::new().concurrency_limit(10).service(workers);
    // The call, not readiness, waits for one of the ten workers.
    let workers = service_fn(move |request| workers.clone().oneshot(request));
    keep_busy_with(&layer, 8, workers.clone(), Duration::from_secs(3)).await;
    assert!(keep_busy_with(&layer, 50, workers, Duration::from_secs(20)).await > 0);
    // The bound is twice the number of workers plus the square root of that.
    assert!(layer.limit() < max_calls(30), "{}", layer.limit());
}

#[tokio::test(start_paused = true)]
async fn limit_of_one_grows_on_rejections() {
    let layer =
        InFlightLimitLayer::adaptive(limit_settings().initial(max_calls(1)).min(max_calls(1)));
    keep_busy(&layer, 5, Duration::from_millis(20), Duration::from_secs(3)).await;
    assert!(layer.limit() >= max_calls(5), "{}", layer.limit());
}

#[tokio::test(start_paused = true)]
async fn limit_changes_once_per_response_time() {
    let layer = InFlightLimitLayer::adaptive(limit_settings());
    let busy = keep_busy(&layer, 50, Duration::from_secs(1), Duration::from_secs(10));
    let mut busy = task::spawn(busy);
    // The limit changes at the first responses, one second after the start.
    for has_grown in [false, true] {
        assert_pending!(busy.poll());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_pending!(busy.poll());
        assert_eq!(layer.limit() > max_calls(20), has_grown);
    }
}

#[test]
fn initial_limit_is_clamped_to_bounds() {
    for (initial, clamped) in [(1, 5), (9_999, 60)] {
        let layer = InFlightLimitLayer::adaptive(limit_settings().initial(max_calls(initial)));
        assert_eq!(layer.limit(), max_calls(clamped));
    }
}

#[tokio::test(start_paused = true)]
async fn each_key_has_own_adaptive_limit() {
    let layer =
        InFlightLimitLayer::adaptive(limit_settings().initial(max_calls(5))).per_key(by_authority);
    let service = layer.layer(silent_upstream());
    for uri in ["http://a/", "http://b/"] {
        let mut calls: Vec<_> =
            (0..5).map(|_| task::spawn(service.clone().oneshot(get_from(uri)))).collect();
        for call in &mut calls {
            assert_pending!(call.poll());
        }
        let error = service.clone().oneshot(get_from(uri)).await.unwrap_err();
        assert_eq!(find_source::<LimitReached>(&*error).unwrap().limit(), max_calls(5));
    }
}
