//! Calls that are dropped, panic or expire, and retry overrides in a request.

use std::{
    error::Error,
    num::NonZeroU32,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::FutureExt;
use http_body_util::BodyExt;
use seawall::{
    Cause, Deadline,
    circuit_breaker::{CircuitBreakerLayer, State},
    classify::classify_fn,
    deadline::{DeadlineHeaderLayer, TimeoutHeader},
    in_flight::InFlightLimitLayer,
    retry::{Backoff, RetryLayer, RetryOverride, RetryReport, StopReason},
    standard::{Standard, StandardLayer, Timeouts},
    test_util::{FlakyService, Step},
};
use tokio::time::{Instant, advance, timeout};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tracing::level_filters::LevelFilter;

use super::*;
use crate::log_capture::Recorder;

const URL: &str = "http://billing/";

/// Returns a stack that admits one call in flight and whose circuits open on one failure.
fn fragile() -> StandardLayer {
    let one = NonZeroU32::MIN;
    let breaker = CircuitBreakerLayer::new().consecutive_failures(one).half_open_probes(one);
    StandardLayer::new("billing")
        .circuit_breaker(breaker)
        .in_flight(InFlightLimitLayer::new(one))
        .retry(RetryLayer::new().backoff(Backoff::constant(secs(5))))
}

#[tokio::test(start_paused = true)]
async fn override_keeps_deadline_of_stack() {
    let (sent, busy) = upstream(|_| {
        let mut response = status(503);
        response.headers_mut().insert("retry-after", 10.into());
        Ok(response)
    });
    let layer = StandardLayer::new("billing")
        .timeouts(Timeouts::new(secs(1), secs(5)).unwrap())
        .without_retry();
    let mut request = get(URL);
    request.extensions_mut().insert(RetryOverride::new(RetryLayer::new()));
    let response = layer.layer(busy).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 503);
    let report = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(report.stop_reason(), Some(StopReason::DeadlineTooNear));
    assert_eq!(sent.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn override_keeps_deadline_margin_and_drops_layer_settings() {
    let layer = |min_attempt| {
        StandardLayer::new("billing")
            .timeouts(Timeouts::new(secs(1), secs(1)).unwrap())
            .retry(RetryLayer::new().backoff(Backoff::none()).min_attempt_time(min_attempt))
            .deadline_header(DeadlineHeaderLayer::new(TimeoutHeader::Grpc))
    };
    for (min_attempt, time, requests) in [(secs(0), 970, 1), (secs(1), 900, 2)] {
        let script = [Step::status(503).delay(Duration::from_millis(time)), Step::ok("")];
        let upstream = FlakyService::new(script).unwrap();
        let mut request = get(URL);
        let own = RetryOverride::new(RetryLayer::new().backoff(Backoff::none()));
        request.extensions_mut().insert(own);
        layer(min_attempt).layer(upstream.clone()).oneshot(request).await.unwrap();
        assert_eq!(upstream.requests(), requests);
    }
}

#[tokio::test(start_paused = true)]
async fn expired_call_releases_permits_of_readied_client() {
    let (_, inner) = upstream(|_| Ok(status(200)));
    let client = ServiceBuilder::new().concurrency_limit(1).service(inner);
    let mut idle = StandardLayer::new("billing").layer(client);
    let other = idle.clone();
    let mut late = get(URL);
    late.extensions_mut().insert(Deadline::within(Duration::ZERO));
    let response = idle.ready().await.unwrap().call(late).await;
    assert_eq!(cause(response), Cause::HttpResponseTimeout);
    timeout(secs(1), other.oneshot(get(URL))).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn dropped_call_releases_all_and_is_not_counted() {
    for (step, seconds) in [
        // Dropped during the attempt, during the peek into the body, and during the body.
        (Step::silent(), 3),
        (Step::status(502).body("<html>").body_delay(Duration::MAX), 0),
        (Step::ok("half").body_delay(Duration::MAX), 3),
    ] {
        for half_open in [false, true] {
            let upstream = FlakyService::new(Step::status(502)).unwrap();
            let layer = fragile().without_retry();
            let client = layer.layer(upstream.clone());
            client.clone().oneshot(get(URL)).await.unwrap();
            let circuit = layer.circuits().get("billing").unwrap();
            assert_eq!(circuit.state(), State::Open);
            advance(secs(3)).await;
            if !half_open {
                upstream.set_script(Step::ok("")).unwrap();
                client.clone().oneshot(get(URL)).await.unwrap();
                assert_eq!(circuit.state(), State::Closed);
            }
            let calls = circuit.snapshot().calls();
            upstream.set_script(step.clone()).unwrap();
            let call = async {
                client.clone().oneshot(get(URL)).await?.into_body().collect().await?;
                Ok::<_, BoxError>(())
            };
            let time = secs(seconds) + Duration::from_millis(20);
            assert!(timeout(time, call).await.is_err(), "{step:?}");
            let has_response = seconds > 0 && format!("{step:?}").contains("half");
            if !has_response {
                assert_eq!(circuit.snapshot().calls(), calls, "{step:?}");
            }
            upstream.set_script(Step::ok("")).unwrap();
            assert_eq!(client.oneshot(get(URL)).await.unwrap().status(), 200, "{step:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn call_dropped_between_attempts_releases_all() {
    for body in ["", "much"] {
        let one = NonZeroU32::MIN;
        let layer = fragile().without_circuit_breaker().in_flight(InFlightLimitLayer::new(one));
        // The body stalls during the drain, and the delay goes on after it.
        let script = [Step::status(503).body(body).body_delay(Duration::MAX), Step::ok("")];
        let upstream = FlakyService::new(script).unwrap();
        let client = layer.layer(upstream);
        for time in [10, 4_000] {
            let call = client.clone().oneshot(get(URL));
            let dropped = timeout(Duration::from_millis(time), call).await;
            assert_eq!(dropped.is_err(), time == 10);
        }
    }
}

/// A body that is neither `Sync` nor `Unpin`.
#[derive(Default)]
struct UnsyncBody(std::cell::Cell<u8>, std::marker::PhantomPinned);

impl http_body::Body for UnsyncBody {
    type Data = std::collections::VecDeque<u8>;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        Poll::Ready((left > 0).then(|| Ok(http_body::Frame::data([left].into()))))
    }
}

/// Requires a value that is `Send`.
fn require_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test(start_paused = true)]
async fn bodies_need_not_be_sync_or_unpin() {
    let client = tower::service_fn(async |request: Request<ReplayBody<UnsyncBody>>| {
        let sent = request.into_body().collect().await?.to_bytes();
        assert_eq!(*sent, [3, 2, 1]);
        let mut response = Response::new(UnsyncBody(2.into(), <_>::default()));
        *response.status_mut() = http::StatusCode::BAD_GATEWAY;
        Ok::<_, BoxError>(response)
    });
    let service = fragile().without_circuit_breaker().layer(client);
    let request = Request::get(URL).body(UnsyncBody(3.into(), <_>::default())).unwrap();
    let body = require_send(service.oneshot(request)).await.unwrap().into_body();
    assert_eq!(*body.collect().await.unwrap().to_bytes(), [2, 1]);
}

/// A service whose first call panics in `call` (0), in the future (1) or in the body (2, 3).
#[derive(Clone)]
struct PanickingClient(u32, Arc<AtomicU32>);

struct PanickingBody;

impl http_body::Body for PanickingBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        panic!("the body panics")
    }
}

impl<B> Service<Request<B>> for PanickingClient {
    type Response = Response<http_body_util::Either<PanickingBody, Body>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        use http_body_util::Either::{Left, Right};
        let place = if self.1.fetch_add(1, Ordering::Relaxed) == 0 { self.0 } else { 9 };
        assert!(place != 0, "the call panics");
        Box::pin(async move {
            assert!(place != 1, "the future panics");
            Ok(match place {
                2 => Response::new(Left(PanickingBody)),
                3 => Response::builder().status(502).body(Left(PanickingBody)).unwrap(),
                _ => Response::new(Right(Body::from("success"))),
            })
        })
    }
}

#[tokio::test(start_paused = true)]
async fn panicking_client_releases_permit() {
    for place in 0..4 {
        let layer = fragile().without_circuit_breaker();
        let client = layer.layer(PanickingClient(place, Arc::default()));
        let call = async |client: Standard<PanickingClient>| {
            let response = client.oneshot(get(URL)).await?;
            response.into_body().collect().await.map(http_body_util::Collected::to_bytes)
        };
        let outcome = AssertUnwindSafe(call(client.clone())).catch_unwind().await;
        assert!(outcome.is_err(), "{place}");
        assert_eq!(call(client).await.unwrap(), "success", "{place}");
    }
}

/// The deadline needs no timer as long as the attempt's timer fires first.
#[tokio::test(start_paused = true)]
async fn deadline_ends_call_in_time_whichever_timer_fires_first() {
    // With or without retry, the attempt timeout, and the time of the first poll, in seconds.
    for (has_retry, attempt, first_poll) in
        [(false, 5, 0), (false, 5, 4), (false, 2, 4), (true, 2, 0), (true, 2, 4), (true, 4, 1)]
    {
        let layer =
            StandardLayer::new("billing").timeouts(Timeouts::new(secs(attempt), secs(5)).unwrap());
        let layer = if has_retry {
            layer.retry(RetryLayer::new().backoff(Backoff::none()))
        } else {
            layer.without_retry()
        };
        let started = Instant::now();
        let mut service = layer.layer(silent::<ReplayBody<Body>>());
        let call = service.ready().await.unwrap().call(get(URL));
        tokio::time::sleep(secs(first_poll)).await;
        call.await.unwrap_err();
        assert_eq!(started.elapsed(), secs(5), "{has_retry:?} {attempt} {first_poll}");
    }
}

#[tokio::test]
async fn stack_is_clone_with_any_key_extractor() {
    let keys = AtomicU32::new(0);
    let layer = StandardLayer::new("billing")
        .per_key(move |_| Some(keys.fetch_add(1, Ordering::Relaxed).to_string().into()));
    let (_, client) = upstream(|_| Ok(status(200)));
    let client = layer.layer(client);
    client.clone().oneshot(get(URL)).await.unwrap();
    client.oneshot(get(URL)).await.unwrap();
    assert_eq!(layer.circuits().all().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn stack_ends_call_by_total_timeout_of_given_retry() {
    for timeouts in [Timeouts::default(), Timeouts::none().body_idle(Duration::from_secs(60))] {
        let retry = RetryLayer::new().total_timeout(secs(1));
        let layer = StandardLayer::new("billing").timeouts(timeouts).retry(retry);
        let started = Instant::now();
        layer.layer(silent()).oneshot(get(URL)).await.unwrap_err();
        assert!(started.elapsed() < secs(2), "{:?}", started.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn stack_keeps_total_when_given_retry_has_longer_one() {
    let retry = RetryLayer::new().total_timeout(secs(100));
    let timeouts = Timeouts::new(secs(1), secs(2)).unwrap();
    let layer = StandardLayer::new("billing").retry(retry).timeouts(timeouts);
    let started = Instant::now();
    layer.layer(silent()).oneshot(get(URL)).await.unwrap_err();
    assert!(started.elapsed() < secs(3), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn stack_shortens_later_deadline_of_caller_for_inner_services() {
    let upstream = FlakyService::new(Step::ok("")).unwrap();
    let header = DeadlineHeaderLayer::new(TimeoutHeader::Grpc).margin(Duration::ZERO);
    let timeouts = Timeouts::new(secs(2), secs(5)).unwrap();
    let layer = StandardLayer::new("billing").timeouts(timeouts);
    let mut request = get(URL);
    request.extensions_mut().insert(Deadline::within(secs(100)));
    layer.layer(header.layer(upstream.clone())).oneshot(request).await.unwrap();
    assert_eq!(upstream.received()[0].header("grpc-timeout"), Some("5000000u"));
}

#[tokio::test(start_paused = true)]
async fn outer_stack_ignores_retry_report_of_inner_stack() {
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let upstream = FlakyService::new(Step::status(503)).unwrap();
    let inner = StandardLayer::new("inner").without_logging().without_retry().layer(upstream);
    let never = classify_fn(|_: Result<&Response<_>, &(dyn Error + 'static)>| None);
    let outer = StandardLayer::new("outer").classifier(never).layer(inner);
    let request = get(URL);
    let response = outer.oneshot(request).await.unwrap();
    drop(response.into_body().collect().await);
    let line = recorder.lines().pop().unwrap();
    assert_eq!(line.level, tracing::Level::DEBUG, "{}", line.message());
}
