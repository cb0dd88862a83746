//! Tests of `ReplayBody`, with which each attempt sends the same bytes.

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty, Full};
use proptest::prelude::*;
use seawall::{
    BoxError,
    retry::{Backoff, Budget, ReplayBody, RetryLayer, RetryReport, StopReason},
};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
};
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Action, Script, ScriptedBody, Step, response};

type ResponseBody = Full<Bytes>;

fn retry_layer() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none()).budget(Budget::none())
}

fn put<B>(body: B) -> Request<B> {
    Request::put("http://upstream/").body(body).unwrap()
}

fn data(bytes: &'static [u8]) -> Step {
    Step::Data(Bytes::from_static(bytes))
}

/// Returns a service that reads each request and responds 502, 502 and 200.
fn succeeds_at_third_request() -> Script<ResponseBody> {
    Script::new([502, 502, 200].map(|status| Action::Respond(response(status))))
}

#[tokio::test(start_paused = true)]
async fn retry_layer_sends_empty_body_again() {
    let script = succeeds_at_third_request();
    retry_layer().layer(script.clone()).oneshot(put(Empty::<Bytes>::new())).await.unwrap();
    for sent in script.sent() {
        assert!(sent.is_complete && sent.data.is_empty());
    }
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn retry_layer_sends_body_and_trailers_again() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "42".parse().unwrap());
    let steps =
        [data(b"one "), Step::Pause, data(b""), data(b"two"), Step::Trailers(trailers.clone())];
    for body in [ScriptedBody::new(steps.clone()), ScriptedBody::sized(steps)] {
        let script = succeeds_at_third_request();
        retry_layer().layer(script.clone()).oneshot(put(body)).await.unwrap();
        for sent in script.sent() {
            assert_eq!(sent.data, b"one two");
            assert_eq!(sent.trailers.as_ref(), Some(&trailers));
            assert!(sent.is_complete);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn replay_body_shares_data_without_copying() {
    let original = Bytes::from(vec![7; 1_000]);
    let addresses = Arc::new(Mutex::new(Vec::new()));
    let service = {
        let addresses = Arc::clone(&addresses);
        service_fn(move |request: Request<ReplayBody<Full<Bytes>>>| {
            let addresses = Arc::clone(&addresses);
            async move {
                let bytes = request.into_body().collect().await?.to_bytes();
                addresses.lock().unwrap().push(bytes.as_ptr().addr());
                Ok::<_, BoxError>(response::<ResponseBody>(502))
            }
        })
    };
    retry_layer().layer(service).oneshot(put(Full::new(original.clone()))).await.unwrap();
    assert_eq!(*addresses.lock().unwrap(), [original.as_ptr().addr(); 5]);
}

#[tokio::test(start_paused = true)]
async fn retry_layer_sends_body_once_when_size_hint_exceeds_limit() {
    let script = succeeds_at_third_request();
    let body = Full::new(Bytes::from(vec![1; 11]));
    let response =
        retry_layer().max_replay_bytes(10).layer(script.clone()).oneshot(put(body)).await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(
        response.extensions().get::<RetryReport>().unwrap().stop_reason(),
        Some(StopReason::NotReplayable)
    );
    assert_eq!(script.sent()[0].data, [1; 11]);
}

#[tokio::test(start_paused = true)]
async fn retry_layer_sends_body_again_when_size_equals_limit() {
    let script = succeeds_at_third_request();
    let body = Full::new(Bytes::from(vec![1; 10]));
    retry_layer().max_replay_bytes(10).layer(script.clone()).oneshot(put(body)).await.unwrap();
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn retry_layer_sends_stream_above_limit_once() {
    let script = succeeds_at_third_request();
    let body = ScriptedBody::new([data(b"12345"), Step::Pause, data(b"678901"), data(b"2345")]);
    let response =
        retry_layer().max_replay_bytes(10).layer(script.clone()).oneshot(put(body)).await.unwrap();
    assert_eq!(
        response.extensions().get::<RetryReport>().unwrap().stop_reason(),
        Some(StopReason::NotReplayable)
    );
    assert_eq!((script.count(), script.sent()[0].data.as_slice()), (1, &b"123456789012345"[..]));
}

#[tokio::test(start_paused = true)]
async fn retry_layer_sends_body_again_when_response_precedes_limit() {
    let script = Script::new([
        Action::RespondAfter(1, response::<ResponseBody>(502)),
        Action::Respond(response(200)),
    ]);
    let body = ScriptedBody::new([data(b"12345"), data(b"678901"), data(b"2345")]);
    retry_layer().max_replay_bytes(10).layer(script.clone()).oneshot(put(body)).await.unwrap();
    assert_eq!(script.sent()[1].data, b"123456789012345");
}

#[tokio::test(start_paused = true)]
async fn retry_layer_returns_body_error_without_retry() {
    let script = Script::new([Action::Respond(response::<ResponseBody>(200))]);
    let body = ScriptedBody::new([data(b"half"), Step::Error]);
    let error = retry_layer().layer(script.clone()).oneshot(put(body)).await.unwrap_err();
    assert_eq!(error.to_string(), "the body failed");
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_layer_does_not_retry_response_when_body_failed() {
    let service = service_fn(async |request: Request<ReplayBody<ScriptedBody>>| {
        let _ = request.into_body().collect().await;
        Ok::<_, Infallible>(response::<ResponseBody>(502))
    });
    let body = ScriptedBody::new([data(b"half"), Step::Error]);
    let response = retry_layer().layer(service).oneshot(put(body)).await.unwrap();
    assert_eq!(
        response.extensions().get::<RetryReport>().unwrap().stop_reason(),
        Some(StopReason::NotReplayable)
    );
}

type ReceivedBodies = Arc<Mutex<Vec<Pin<Box<ReplayBody<ScriptedBody>>>>>>;

/// Returns a service that stores the bodies unread and responds 502 at once.
fn early_responder(
    bodies: &ReceivedBodies,
) -> impl tower::Service<
    Request<ReplayBody<ScriptedBody>>,
    Response = http::Response<ResponseBody>,
    Error = BoxError,
    Future: Send,
> + Clone {
    let bodies = Arc::clone(bodies);
    service_fn(move |request: Request<ReplayBody<ScriptedBody>>| {
        bodies.lock().unwrap().push(Box::pin(request.into_body()));
        std::future::ready(Ok(response(502)))
    })
}

#[tokio::test(start_paused = true)]
async fn replay_body_of_earlier_attempt_fails_when_next_starts() {
    let bodies = Arc::default();
    let body = ScriptedBody::new([data(b"a"), Step::Pause, data(b"b")]);
    retry_layer().max_retries(1).layer(early_responder(&bodies)).oneshot(put(body)).await.unwrap();
    let [mut first, second] = std::mem::take(&mut *bodies.lock().unwrap()).try_into().unwrap();
    assert!(first.frame().await.unwrap().is_err());
    assert_eq!(second.collect().await.unwrap().to_bytes(), "ab");
}

#[tokio::test(start_paused = true)]
async fn pending_replay_body_is_woken_when_next_attempt_starts() {
    // Polls the body inside the attempt, as a connection does. The body is still pending when the
    // response is classified.
    let pending_body = Arc::new(Mutex::new(None));
    let inner = {
        let pending_body = Arc::clone(&pending_body);
        service_fn(move |request: Request<ReplayBody<ScriptedBody>>| {
            let mut body = task::spawn(request.into_body());
            let mut pending_body = pending_body.lock().unwrap();
            if pending_body.is_none() {
                body.enter(|cx, body| assert_pending!(body.poll_frame(cx)));
                *pending_body = Some(body);
            }
            std::future::ready(Ok::<_, BoxError>(response::<ResponseBody>(502)))
        })
    };
    let service = retry_layer().max_retries(1).layer(inner);
    service.oneshot(put(ScriptedBody::new([Step::Stall]))).await.unwrap();
    assert!(pending_body.lock().unwrap().as_ref().unwrap().is_woken());
}

#[tokio::test(start_paused = true)]
async fn replay_body_streams_rest_when_call_is_complete() {
    let bodies: ReceivedBodies = Arc::default();
    retry_layer()
        .max_retries(0)
        .layer(early_responder(&bodies))
        .oneshot(put(ScriptedBody::new([data(b"a"), data(b"b")])))
        .await
        .unwrap();
    let mut body = bodies.lock().unwrap().remove(0);
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(frame, "a");
    assert_eq!(body.collect().await.unwrap().to_bytes(), "b");
}

#[tokio::test(start_paused = true)]
async fn replay_body_reports_end_stream_with_last_frame() {
    let service = service_fn(async |request: Request<ReplayBody<ScriptedBody>>| {
        let mut body = Box::pin(request.into_body());
        assert!(!body.is_end_stream());
        assert_eq!(body.frame().await.unwrap()?.into_data().unwrap(), "a");
        assert!(!body.is_end_stream());
        assert_eq!(body.frame().await.unwrap()?.into_data().unwrap(), "b");
        assert!(body.is_end_stream());
        assert!(body.frame().await.is_none());
        Ok::<_, BoxError>(response::<ResponseBody>(502))
    });
    let body = ScriptedBody::new([data(b"a"), data(b"b")]);
    let response = retry_layer().max_retries(2).layer(service).oneshot(put(body)).await.unwrap();
    assert_eq!(response.extensions().get::<RetryReport>().unwrap().attempts().get(), 3);
}

#[tokio::test(start_paused = true)]
async fn panicking_body_fails_pending_attempts() {
    struct PanickingBody;
    impl http_body::Body for PanickingBody {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            panic!("panic on purpose")
        }
    }
    let service = service_fn(async |request: Request<ReplayBody<PanickingBody>>| {
        let reader = tokio::spawn(request.into_body().collect());
        assert!(reader.await.is_err());
        Ok::<_, Infallible>(response::<ResponseBody>(502))
    });
    let response = retry_layer().layer(service).oneshot(put(PanickingBody)).await.unwrap();
    assert_eq!(
        response.extensions().get::<RetryReport>().unwrap().stop_reason(),
        Some(StopReason::NotReplayable)
    );
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Step::Data(bytes.into())),
        1 => Just(Step::Pause),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn each_attempt_sends_same_bytes(
        steps in prop::collection::vec(step(), 0..12),
        sized in any::<bool>(),
        trailers in any::<bool>(),
        frames_before_response in prop::collection::vec(0_usize..14, 0..4),
        max_replay_bytes in 0_usize..200,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let mut steps = steps;
        let expected: Vec<u8> = steps.iter().flat_map(|step| match step {
            Step::Data(data) => data.to_vec(),
            _ => Vec::new(),
        }).collect();
        if trailers {
            let mut map = HeaderMap::new();
            map.insert("x", "y".parse().unwrap());
            steps.push(Step::Trailers(map));
        }
        let body = if sized { ScriptedBody::sized(steps) } else { ScriptedBody::new(steps) };
        let acts = frames_before_response.iter().map(|&frames| match frames {
            13 => Action::Respond(response::<ResponseBody>(502)),
            frames => Action::RespondAfter(frames, response(502)),
        });
        let script = Script::new(acts.chain([Action::Respond(response(200))]));
        let layer = retry_layer().without_max_retries().max_replay_bytes(max_replay_bytes);
        let call = layer.layer(script.clone()).oneshot(put(body));
        let response = runtime.block_on(call).unwrap();
        for sent in script.sent() {
            prop_assert!(expected.starts_with(&sent.data));
            if sent.is_complete {
                prop_assert_eq!(&sent.data, &expected);
                prop_assert_eq!(sent.trailers.is_some(), trailers);
            }
        }
        if response.status() == 200 {
            prop_assert!(script.sent().last().unwrap().is_complete);
        } else {
            let reason = response.extensions().get::<RetryReport>().unwrap().stop_reason();
            prop_assert_eq!(reason, Some(StopReason::NotReplayable));
        }
        if expected.len() + 2 <= max_replay_bytes {
            prop_assert_eq!(response.status(), 200);
        }
    }

    #[test]
    fn replay_body_has_exact_size_hint_when_body_is_sized(
        steps in prop::collection::vec(step(), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let service = service_fn(async |request: Request<ReplayBody<ScriptedBody>>| {
            let mut body = Box::pin(request.into_body());
            let mut remaining = body.size_hint().exact().unwrap();
            while let Some(frame) = body.frame().await {
                remaining -= frame?.data_ref().unwrap().len() as u64;
                assert_eq!(body.size_hint().exact(), Some(remaining));
            }
            assert!(body.is_end_stream());
            assert_eq!(remaining, 0);
            Ok::<_, BoxError>(response::<ResponseBody>(502))
        });
        runtime.block_on(retry_layer().layer(service).oneshot(put(ScriptedBody::sized(steps)))).unwrap();
    }
}
