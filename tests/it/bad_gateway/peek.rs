//! Peeking at a body loses no data and does not delay the response beyond `peek_timeout`.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, Bytes};
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use proptest::prelude::*;
use seawall::{
    BoxError, Cause, Failure, Processed, Product, Reporter, bad_gateway::BadGatewayClassifierLayer,
};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

use super::{captures::captures, classify_with, failure, upstream_response};
use crate::support::{ScriptedBody, Step};

const LAYER: BadGatewayClassifierLayer = BadGatewayClassifierLayer::new();
const PAGE: &str = "<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>\n";

/// The frames that a reader receives until the body ends or stalls.
#[derive(Debug, Default, PartialEq)]
struct ReceivedBody {
    data: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    errors: usize,
    ended: bool,
}

async fn read_body(body: impl Body<Data = Bytes, Error = BoxError>) -> ReceivedBody {
    let mut body = pin!(body);
    let mut received = ReceivedBody::default();
    loop {
        let hint = body.size_hint();
        let is_end_stream = body.is_end_stream();
        let next = tokio::time::timeout(Duration::from_secs(1), body.frame()).await;
        assert!(
            !is_end_stream || matches!(next, Ok(None)),
            "expected no frame after `is_end_stream`"
        );
        match next {
            Err(_) => return received,
            Ok(None) => {
                received.ended = true;
                return received;
            }
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    assert!(hint.upper().is_none_or(|upper| upper >= data.len() as u64));
                    received.data.push(data);
                }
                Err(frame) => received.trailers = frame.into_trailers().ok(),
            },
            Ok(Some(Err(_))) => received.errors += 1,
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let data = prop::collection::vec(any::<u8>(), 0..600).prop_map(|data| Step::Data(data.into()));
    prop_oneof![
        12 => data,
        3 => Just(Step::Data(Bytes::from_static(b"<center>nginx</center>"))),
        4 => Just(Step::Pause),
        1 => Just(Step::Stall),
        1 => Just(Step::Error),
        1 => Just(Step::Trailers([(http::header::ETAG, http::HeaderValue::from_static("t"))].into_iter().collect())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn peek_loses_no_frame(
        steps in prop::collection::vec(step(), 0..90),
        sized in any::<bool>(),
        status in prop::sample::select(vec![429_u16, 500, 502, 503, 504, 521]),
        max_peek_bytes in prop::sample::select(vec![0, 1, 100, 4096, 100_000]),
        timeout_ms in prop::sample::select(vec![0, 50]),
    ) {
        let body = if sized { ScriptedBody::sized(steps) } else { ScriptedBody::new(steps) };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let expected = read_body(body.clone()).await;
            let mut response = Response::new(body);
            let hint = response.body().size_hint();
            *response.status_mut() = status.try_into().unwrap();
            let start = Instant::now();
            let timeout = Duration::from_millis(timeout_ms);
            let layer = LAYER.max_peek_bytes(max_peek_bytes).peek_timeout(timeout);
            let response = classify_with(layer, response).await;
            assert!(start.elapsed() <= Duration::from_millis(timeout_ms + 1));
            assert!(response.extensions().get::<Failure>().is_some());
            assert_eq!(response.body().size_hint().exact(), hint.exact());
            assert_eq!(read_body(response.into_body()).await, expected);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn layer_classifies_page_in_pieces_like_complete_page() {
    for capture in captures() {
        let body = capture.body();
        let one_frame = vec![Step::Data(body.clone())];
        let Some(response) = capture.response(one_frame) else { continue };
        if response.status().as_u16() < 400 || body.is_empty() {
            continue;
        }
        let complete = failure(&classify_with(LAYER, response).await);
        for count in [2, 3, 7, 30] {
            let pieces = body.chunks(body.len().div_ceil(count)).map(|it| body.slice_ref(it));
            let steps = pieces.flat_map(|piece| [Step::Pause, Step::Data(piece), Step::Pause]);
            let response = capture.response(steps.collect()).unwrap();
            assert_eq!(
                failure(&classify_with(LAYER, response).await),
                complete,
                "{}",
                capture.name()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn peek_timeout_bounds_delay_when_body_stalls() {
    for timeout_ms in [0, 50, 400] {
        let mut response = upstream_response(502, &[], "");
        *response.body_mut() = ScriptedBody::new([Step::Stall]);
        let start = Instant::now();
        let layer = LAYER.peek_timeout(Duration::from_millis(timeout_ms));
        let response = classify_with(layer, response).await;
        assert_eq!(failure(&response).reporter(), Reporter::Unknown);
        let delay = start.elapsed();
        let range = Duration::from_millis(timeout_ms)..=Duration::from_millis(timeout_ms + 1);
        assert!(range.contains(&delay), "expected {timeout_ms} ms, found {delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn peek_ends_when_page_is_recognized() {
    let mut response = upstream_response(504, &[], "");
    *response.body_mut() = ScriptedBody::new([Step::Data(PAGE.into()), Step::Stall]);
    let start = Instant::now();
    let response = classify_with(LAYER, response).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(failure(&response).reporter(), Reporter::Gateway(Product::HaProxy));
}

#[tokio::test(start_paused = true)]
async fn layer_peeks_only_at_uncompressed_text_within_limit() {
    let peeks = async |layer: BadGatewayClassifierLayer, headers: &[(&str, &str)]| {
        let response = classify_with(layer, upstream_response(504, headers, PAGE)).await;
        failure(&response).reporter() == Reporter::Gateway(Product::HaProxy)
    };
    for kind in [
        "text/html; charset=utf-8",
        "TEXT/plain",
        "application/problem+json",
        "application/xhtml+xml",
    ] {
        assert!(peeks(LAYER, &[("content-type", kind)]).await, "{kind}");
    }
    assert!(peeks(LAYER, &[]).await);
    assert!(peeks(LAYER, &[("content-encoding", "identity")]).await);
    for headers in [
        [("content-encoding", "gzip")],
        [("content-encoding", "identity, br")],
        [("content-type", "image/png")],
        [("content-type", "application/grpc")],
    ] {
        assert!(!peeks(LAYER, &headers).await, "{headers:?}");
    }
    assert!(!peeks(LAYER.max_peek_bytes(0), &[]).await);
    assert!(!peeks(LAYER.max_peek_bytes(20), &[]).await);
}

/// A body that yields frames forever and counts them.
struct Endless {
    size: usize,
    yielded: Arc<AtomicUsize>,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.yielded.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(vec![b'x'; self.size].into()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[tokio::test]
async fn peek_reads_at_most_limit_and_one_frame() {
    for (size, frames) in [(0, 64), (1, 64), (1_000, 5), (100_000, 1)] {
        let yielded = Arc::new(AtomicUsize::new(0));
        let body = Endless { size, yielded: Arc::clone(&yielded) };
        let mut response = Some(Response::builder().status(503).body(body).unwrap());
        let service = LAYER.layer(service_fn(move |()| {
            let response = response.take().unwrap();
            async { Ok::<_, BoxError>(response) }
        }));
        let response = service.oneshot(()).await.unwrap();
        assert_eq!(yielded.load(Ordering::Relaxed), frames, "frames of {size} bytes");
        drop(response);
    }
}

/// A body with one frame of two non-contiguous buffers.
struct NonContiguous(Option<bytes::buf::Chain<Bytes, Bytes>>);

impl Body for NonContiguous {
    type Data = bytes::buf::Chain<Bytes, Bytes>;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, BoxError>>> {
        Poll::Ready(self.0.take().map(|data| Ok(Frame::data(data))))
    }
}

#[tokio::test]
async fn layer_recognizes_page_in_non_contiguous_frame() {
    let (front, back) = PAGE.split_at(30);
    let body = NonContiguous(Some(Bytes::from(front).chain(Bytes::from(back))));
    let mut response = Some(Response::builder().status(504).body(body).unwrap());
    let service = LAYER.layer(service_fn(move |()| {
        let response = response.take().unwrap();
        async { Ok::<_, BoxError>(response) }
    }));
    let response = service.oneshot(()).await.unwrap();
    let failure = response.extensions().get::<Failure>().unwrap();
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::HaProxy));
    let frame = pin!(response.into_body()).frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap().chunk(), front.as_bytes());
}

/// A body that is pending forever.
struct PendingBody(#[allow(dead_code)] Arc<()>);

impl Body for PendingBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_call_releases_body_during_peek() {
    let alive = Arc::new(());
    let mut response =
        Some(Response::builder().status(502).body(PendingBody(Arc::clone(&alive))).unwrap());
    let service = LAYER.layer(service_fn(move |()| {
        let response = response.take().unwrap();
        async { Ok::<_, BoxError>(response) }
    }));
    let mut call = tokio_test::task::spawn(service.oneshot(()));
    assert!(call.poll().is_pending());
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(call);
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// A future that is ready at once with a response whose body stalls.
struct ReadyFuture(#[allow(dead_code)] Arc<()>);

impl Future for ReadyFuture {
    type Output = Result<Response<ScriptedBody>, BoxError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = upstream_response(503, &[], "");
        *response.body_mut() = ScriptedBody::new([Step::Stall]);
        Poll::Ready(Ok(response))
    }
}

#[tokio::test(start_paused = true)]
async fn layer_drops_inner_future_before_peek() {
    let held = Arc::new(());
    let inner = Arc::clone(&held);
    let mut service = LAYER.layer(service_fn(move |()| ReadyFuture(Arc::clone(&inner))));
    let mut call = tokio_test::task::spawn(tower::Service::call(&mut service, ()));
    assert!(call.poll().is_pending());
    assert_eq!(Arc::strong_count(&held), 2, "expected references of the test and the service only");
}

/// Stalls each recorded body after every seventh byte.
#[tokio::test(start_paused = true)]
async fn truncated_page_yields_same_or_broader_failure() {
    let broader_causes = [
        Cause::BadGateway,
        Cause::DestinationUnavailable,
        Cause::GatewayTimeout,
        Cause::Overloaded,
        Cause::Unknown,
    ];
    for capture in captures() {
        let body = capture.body();
        let Some(response) = capture.response(vec![Step::Data(body.clone())]) else { continue };
        if response.status().as_u16() < 400 || body.len() > 4_096 {
            continue;
        }
        let complete = failure(&classify_with(LAYER, response).await);
        for length in (0..body.len()).step_by(7) {
            let steps = vec![Step::Data(body.slice(..length)), Step::Stall];
            let truncated = failure(&classify_with(LAYER, capture.response(steps).unwrap()).await);
            let is_broader = [complete.reporter(), Reporter::Unknown]
                .contains(&truncated.reporter())
                && (broader_causes.contains(&truncated.cause())
                    || truncated.cause() == complete.cause())
                && [complete.processed(), Processed::Maybe].contains(&truncated.processed());
            assert!(
                truncated == complete || is_broader,
                "{} after {length} bytes: expected {complete} or broader, found {truncated}",
                capture.name()
            );
        }
    }
}
