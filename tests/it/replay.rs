//! `ReplayBody`: every attempt sends the same bytes.

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

use crate::support::{Act, Script, Step, Steps, response};

type Answer = Full<Bytes>;

fn layer() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none()).budget(Budget::none())
}

fn put<B>(body: B) -> Request<B> {
    Request::put("http://upstream/").body(body).unwrap()
}

fn data(bytes: &'static [u8]) -> Step {
    Step::Data(Bytes::from_static(bytes))
}

/// Answers 502 twice, then 200, and reads the whole request each time.
fn third_time() -> Script<Answer> {
    Script::new([502, 502, 200].map(|status| Act::Answer(response(status))))
}

#[tokio::test(start_paused = true)]
async fn an_empty_body_is_sent_again_as_empty() {
    let script = third_time();
    layer().layer(script.clone()).oneshot(put(Empty::<Bytes>::new())).await.unwrap();
    for sent in script.sent() {
        assert!(sent.whole && sent.data.is_empty());
    }
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_body_in_memory_and_a_streamed_one_are_sent_again_with_their_trailers() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "42".parse().unwrap());
    let steps =
        [data(b"one "), Step::Pause, data(b""), data(b"two"), Step::Trailers(trailers.clone())];
    for body in [Steps::new(steps.clone()), Steps::sized(steps)] {
        let script = third_time();
        layer().layer(script.clone()).oneshot(put(body)).await.unwrap();
        for sent in script.sent() {
            assert_eq!(sent.data, b"one two");
            assert_eq!(sent.trailers.as_ref(), Some(&trailers));
            assert!(sent.whole);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn data_is_shared_and_not_copied() {
    let original = Bytes::from(vec![7; 1_000]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let service = {
        let seen = Arc::clone(&seen);
        service_fn(move |request: Request<ReplayBody<Full<Bytes>>>| {
            let seen = Arc::clone(&seen);
            async move {
                let bytes = request.into_body().collect().await?.to_bytes();
                seen.lock().unwrap().push(bytes.as_ptr().addr());
                Ok::<_, BoxError>(response::<Answer>(502))
            }
        })
    };
    layer().layer(service).oneshot(put(Full::new(original.clone()))).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [original.as_ptr().addr(); 5]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_announces_more_than_the_limit_is_sent_once_as_it_is() {
    let script = third_time();
    let body = Full::new(Bytes::from(vec![1; 11]));
    let answer =
        layer().max_replay_bytes(10).layer(script.clone()).oneshot(put(body)).await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(
        answer.extensions().get::<RetryReport>().unwrap().stop_reason(),
        Some(StopReason::NotReplayable)
    );
    assert_eq!(script.sent()[0].data, [1; 11]);
}

#[tokio::test(start_paused = true)]
async fn a_body_of_just_the_limit_is_sent_again() {
    let script = third_time();
    let body = Full::new(Bytes::from(vec![1; 10]));
    layer().max_replay_bytes(10).layer(script.clone()).oneshot(put(body)).await.unwrap();
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_passes_the_limit_is_sent_whole_and_once() {
    let script = third_time();
    let body = Steps::new([data(b"12345"), Step::Pause, data(b"678901"), data(b"2345")]);
    let answer =
        layer().max_replay_bytes(10).layer(script.clone()).oneshot(put(body)).await.unwrap();
    assert_eq!(
        answer.extensions().get::<RetryReport>().unwrap().stop_reason(),
        Some(StopReason::NotReplayable)
    );
    assert_eq!((script.count(), script.sent()[0].data.as_slice()), (1, &b"123456789012345"[..]));
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_before_the_limit_is_passed_leaves_the_body_sendable() {
    let script =
        Script::new([Act::AnswerAfter(1, response::<Answer>(502)), Act::Answer(response(200))]);
    let body = Steps::new([data(b"12345"), data(b"678901"), data(b"2345")]);
    layer().max_replay_bytes(10).layer(script.clone()).oneshot(put(body)).await.unwrap();
    assert_eq!(script.sent()[1].data, b"123456789012345");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_caller_s_body_is_returned_and_never_retried() {
    let script = Script::new([Act::Answer(response::<Answer>(200))]);
    let body = Steps::new([data(b"half"), Step::Error]);
    let error = layer().layer(script.clone()).oneshot(put(body)).await.unwrap_err();
    assert_eq!(error.to_string(), "the body failed");
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_response_after_the_caller_s_body_failed_is_not_retried() {
    let service = service_fn(async |request: Request<ReplayBody<Steps>>| {
        let _ = request.into_body().collect().await;
        Ok::<_, Infallible>(response::<Answer>(502))
    });
    let body = Steps::new([data(b"half"), Step::Error]);
    let answer = layer().layer(service).oneshot(put(body)).await.unwrap();
    assert_eq!(
        answer.extensions().get::<RetryReport>().unwrap().stop_reason(),
        Some(StopReason::NotReplayable)
    );
}

type Bodies = Arc<Mutex<Vec<Pin<Box<ReplayBody<Steps>>>>>>;

/// A service that hands out the bodies it gets, unread, and answers 502 at once.
fn early(
    bodies: &Bodies,
) -> impl tower::Service<
    Request<ReplayBody<Steps>>,
    Response = http::Response<Answer>,
    Error = BoxError,
    Future: Send,
> + Clone {
    let bodies = Arc::clone(bodies);
    service_fn(move |request: Request<ReplayBody<Steps>>| {
        bodies.lock().unwrap().push(Box::pin(request.into_body()));
        std::future::ready(Ok(response(502)))
    })
}

#[tokio::test(start_paused = true)]
async fn a_body_still_being_sent_by_an_attempt_that_answered_early_ends_when_another_begins() {
    let bodies = Arc::default();
    let body = Steps::new([data(b"a"), Step::Pause, data(b"b")]);
    layer().max_retries(1).layer(early(&bodies)).oneshot(put(body)).await.unwrap();
    let [mut first, second] = std::mem::take(&mut *bodies.lock().unwrap()).try_into().unwrap();
    assert!(first.frame().await.unwrap().is_err());
    assert_eq!(second.collect().await.unwrap().to_bytes(), "ab");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_waits_is_woken_when_another_attempt_takes_over() {
    // Reads inside the attempt, as a connection does, and is still waiting when the answer is judged.
    let waiting = Arc::new(Mutex::new(None));
    let inner = {
        let waiting = Arc::clone(&waiting);
        service_fn(move |request: Request<ReplayBody<Steps>>| {
            let mut body = task::spawn(request.into_body());
            let mut waiting = waiting.lock().unwrap();
            if waiting.is_none() {
                body.enter(|cx, body| assert_pending!(body.poll_frame(cx)));
                *waiting = Some(body);
            }
            std::future::ready(Ok::<_, BoxError>(response::<Answer>(502)))
        })
    };
    let service = layer().max_retries(1).layer(inner);
    service.oneshot(put(Steps::new([Step::Stall]))).await.unwrap();
    assert!(waiting.lock().unwrap().as_ref().unwrap().is_woken());
}

#[tokio::test(start_paused = true)]
async fn the_kept_body_is_let_go_when_the_call_is_over() {
    let bodies: Bodies = Arc::default();
    layer()
        .max_retries(0)
        .layer(early(&bodies))
        .oneshot(put(Steps::new([data(b"a"), data(b"b")])))
        .await
        .unwrap();
    let mut body = bodies.lock().unwrap().remove(0);
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(frame, "a");
    assert_eq!(body.collect().await.unwrap().to_bytes(), "b");
}

#[tokio::test(start_paused = true)]
async fn the_end_is_told_with_the_last_frame_when_the_caller_s_body_tells_it() {
    let service = service_fn(async |request: Request<ReplayBody<Steps>>| {
        let mut body = Box::pin(request.into_body());
        assert!(!body.is_end_stream());
        assert_eq!(body.frame().await.unwrap()?.into_data().unwrap(), "a");
        assert!(!body.is_end_stream());
        assert_eq!(body.frame().await.unwrap()?.into_data().unwrap(), "b");
        assert!(body.is_end_stream());
        assert!(body.frame().await.is_none());
        Ok::<_, BoxError>(response::<Answer>(502))
    });
    let body = Steps::new([data(b"a"), data(b"b")]);
    let answer = layer().max_retries(2).layer(service).oneshot(put(body)).await.unwrap();
    assert_eq!(answer.extensions().get::<RetryReport>().unwrap().count().get(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_caller_s_body_that_panics_fails_the_attempts_that_wait_for_it() {
    struct Panics;
    impl http_body::Body for Panics {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            panic!("on purpose")
        }
    }
    let service = service_fn(async |request: Request<ReplayBody<Panics>>| {
        let read = tokio::spawn(request.into_body().collect());
        assert!(read.await.is_err());
        Ok::<_, Infallible>(response::<Answer>(502))
    });
    let answer = layer().layer(service).oneshot(put(Panics)).await.unwrap();
    assert_eq!(
        answer.extensions().get::<RetryReport>().unwrap().stop_reason(),
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
    fn every_attempt_sends_the_same_bytes(
        steps in prop::collection::vec(step(), 0..12),
        sized in any::<bool>(),
        trailers in any::<bool>(),
        early in prop::collection::vec(0_usize..14, 0..4),
        limit in 0_usize..200,
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
        let body = if sized { Steps::sized(steps) } else { Steps::new(steps) };
        let acts = early.iter().map(|&frames| match frames {
            13 => Act::Answer(response::<Answer>(502)),
            frames => Act::AnswerAfter(frames, response(502)),
        });
        let script = Script::new(acts.chain([Act::Answer(response(200))]));
        let answer = runtime.block_on(
            layer().max_retries(None).max_replay_bytes(limit).layer(script.clone()).oneshot(put(body))
        ).unwrap();
        for sent in script.sent() {
            prop_assert!(expected.starts_with(&sent.data));
            if sent.whole {
                prop_assert_eq!(&sent.data, &expected);
                prop_assert_eq!(sent.trailers.is_some(), trailers);
            }
        }
        if answer.status() == 200 {
            prop_assert!(script.sent().last().unwrap().whole);
        } else {
            let stop = answer.extensions().get::<RetryReport>().unwrap().stop_reason();
            prop_assert_eq!(stop, Some(StopReason::NotReplayable));
        }
        if expected.len() + 2 <= limit {
            prop_assert_eq!(answer.status(), 200);
        }
    }

    #[test]
    fn the_size_that_is_left_is_told_exactly_for_a_sized_body(
        steps in prop::collection::vec(step(), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let service = service_fn(async |request: Request<ReplayBody<Steps>>| {
            let mut body = Box::pin(request.into_body());
            let mut left = body.size_hint().exact().unwrap();
            while let Some(frame) = body.frame().await {
                left -= frame?.data_ref().unwrap().len() as u64;
                assert_eq!(body.size_hint().exact(), Some(left));
            }
            assert!(body.is_end_stream());
            assert_eq!(left, 0);
            Ok::<_, BoxError>(response::<Answer>(502))
        });
        runtime.block_on(layer().layer(service).oneshot(put(Steps::sized(steps)))).unwrap();
    }
}
