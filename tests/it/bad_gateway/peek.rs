//! The look at a body takes nothing from it, and takes no time.

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

use super::{answer, captures::captures, failure, through};
use crate::support::{Step, Steps};

const LAYER: BadGatewayClassifierLayer = BadGatewayClassifierLayer::new();
const PAGE: &str = "<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>\n";

/// What a reader gets of a body, frame by frame, until it ends or stalls.
#[derive(Debug, Default, PartialEq)]
struct Read {
    data: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    errors: usize,
    ended: bool,
}

async fn read(body: impl Body<Data = Bytes, Error = BoxError>) -> Read {
    let mut body = pin!(body);
    let mut read = Read::default();
    loop {
        let hint = body.size_hint();
        let end = body.is_end_stream();
        let next = tokio::time::timeout(Duration::from_secs(1), body.frame()).await;
        assert!(!end || matches!(next, Ok(None)), "more after its end");
        match next {
            Err(_) => return read,
            Ok(None) => {
                read.ended = true;
                return read;
            }
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    assert!(hint.upper().is_none_or(|upper| upper >= data.len() as u64));
                    read.data.push(data);
                }
                Err(frame) => read.trailers = frame.into_trailers().ok(),
            },
            Ok(Some(Err(_))) => read.errors += 1,
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
    fn nothing_of_a_body_is_lost(
        steps in prop::collection::vec(step(), 0..90),
        sized in any::<bool>(),
        status in prop::sample::select(vec![429_u16, 500, 502, 503, 504, 521]),
        peek in prop::sample::select(vec![0, 1, 100, 4096, 100_000]),
        wait in prop::sample::select(vec![0, 50]),
    ) {
        let body = if sized { Steps::sized(steps) } else { Steps::new(steps) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let expected = read(body.clone()).await;
            let mut response = Response::new(body);
            let hint = response.body().size_hint();
            *response.status_mut() = status.try_into().unwrap();
            let start = Instant::now();
            let layer = LAYER.max_peek_bytes(peek).peek_timeout(Duration::from_millis(wait));
            let answer = through(layer, response).await;
            assert!(start.elapsed() <= Duration::from_millis(wait + 1));
            assert!(answer.extensions().get::<Failure>().is_some());
            assert_eq!(answer.body().size_hint().exact(), hint.exact());
            assert_eq!(read(answer.into_body()).await, expected);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_in_pieces_is_recognised_like_a_whole_one() {
    for capture in captures() {
        let body = capture.body();
        let whole = [Step::Data(body.clone())].to_vec();
        let Some(response) = capture.response(whole) else { continue };
        if response.status().as_u16() < 400 || body.is_empty() {
            continue;
        }
        let whole = failure(&through(LAYER, response).await);
        for pieces in [2, 3, 7, 30] {
            let pieces = body.chunks(body.len().div_ceil(pieces)).map(|it| body.slice_ref(it));
            let steps = pieces.flat_map(|piece| [Step::Pause, Step::Data(piece), Step::Pause]);
            let response = capture.response(steps.collect()).unwrap();
            assert_eq!(failure(&through(LAYER, response).await), whole, "{}", capture.name());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_delays_a_response_by_no_more_than_peek_wait() {
    for wait in [0, 50, 400] {
        let mut response = answer(502, &[], "");
        *response.body_mut() = Steps::new([Step::Stall]);
        let start = Instant::now();
        let layer = LAYER.peek_timeout(Duration::from_millis(wait));
        let answer = through(layer, response).await;
        assert_eq!(failure(&answer).reporter(), Reporter::Unknown);
        let waited = start.elapsed();
        assert!(waited <= Duration::from_millis(wait + 1), "{waited:?}, not {wait} ms");
        assert!(waited >= Duration::from_millis(wait), "{waited:?}, not {wait} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_recognised_is_not_waited_for_to_its_end() {
    let mut response = answer(504, &[], "");
    *response.body_mut() = Steps::new([Step::Data(PAGE.into()), Step::Stall]);
    let start = Instant::now();
    let answer = through(LAYER, response).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(failure(&answer).reporter(), Reporter::Gateway(Product::HaProxy));
}

#[tokio::test(start_paused = true)]
async fn what_is_compressed_or_no_text_or_asked_not_to_be_is_not_looked_at() {
    let looked_at = async |layer: BadGatewayClassifierLayer, headers: &[(&str, &str)]| {
        let answer = through(layer, answer(504, headers, PAGE)).await;
        failure(&answer).reporter() == Reporter::Gateway(Product::HaProxy)
    };
    for kind in [
        "text/html; charset=utf-8",
        "TEXT/plain",
        "application/problem+json",
        "application/xhtml+xml",
    ] {
        assert!(looked_at(LAYER, &[("content-type", kind)]).await, "{kind}");
    }
    assert!(looked_at(LAYER, &[]).await);
    assert!(looked_at(LAYER, &[("content-encoding", "identity")]).await);
    for headers in [
        [("content-encoding", "gzip")],
        [("content-encoding", "identity, br")],
        [("content-type", "image/png")],
        [("content-type", "application/grpc")],
    ] {
        assert!(!looked_at(LAYER, &headers).await, "{headers:?}");
    }
    assert!(!looked_at(LAYER.max_peek_bytes(0), &[]).await);
    assert!(!looked_at(LAYER.max_peek_bytes(20), &[]).await);
}

/// Gives frames for ever, and counts them.
struct Endless {
    size: usize,
    given: Arc<AtomicUsize>,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.given.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(vec![b'x'; self.size].into()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[tokio::test]
async fn no_more_is_read_ahead_than_peek_allows_and_one_frame() {
    for (size, most) in [(0, 64), (1, 64), (1_000, 5), (100_000, 1)] {
        let given = Arc::new(AtomicUsize::new(0));
        let body = Endless { size, given: Arc::clone(&given) };
        let mut response = Some(Response::builder().status(503).body(body).unwrap());
        let service = LAYER.layer(service_fn(move |()| {
            let response = response.take().unwrap();
            async { Ok::<_, BoxError>(response) }
        }));
        let answer = service.oneshot(()).await.unwrap();
        assert_eq!(given.load(Ordering::Relaxed), most, "frames of {size}");
        drop(answer);
    }
}

/// Data in two pieces that are not next to each other.
struct InPieces(Option<bytes::buf::Chain<Bytes, Bytes>>);

impl Body for InPieces {
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
async fn a_frame_in_pieces_is_looked_at_as_a_whole_and_left_as_it_is() {
    let (front, back) = PAGE.split_at(30);
    let body = InPieces(Some(Bytes::from(front).chain(Bytes::from(back))));
    let mut response = Some(Response::builder().status(504).body(body).unwrap());
    let service = LAYER.layer(service_fn(move |()| {
        let response = response.take().unwrap();
        async { Ok::<_, BoxError>(response) }
    }));
    let answer = service.oneshot(()).await.unwrap();
    let failure = answer.extensions().get::<Failure>().unwrap();
    assert_eq!(failure.reporter(), Reporter::Gateway(Product::HaProxy));
    let frame = pin!(answer.into_body()).frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap().chunk(), front.as_bytes());
}

/// Never gives anything.
struct Held(#[allow(dead_code)] Arc<()>);

impl Body for Held {
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
async fn a_call_dropped_during_the_look_lets_the_body_go() {
    let alive = Arc::new(());
    let mut response =
        Some(Response::builder().status(502).body(Held(Arc::clone(&alive))).unwrap());
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

/// Ready at once with a response whose body never comes.
struct Holding(#[allow(dead_code)] Arc<()>);

impl Future for Holding {
    type Output = Result<Response<Steps>, BoxError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = answer(503, &[], "");
        *response.body_mut() = Steps::new([Step::Stall]);
        Poll::Ready(Ok(response))
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_inner_future_held_is_free_during_the_look() {
    let held = Arc::new(());
    let inner = Arc::clone(&held);
    let mut service = LAYER.layer(service_fn(move |()| Holding(Arc::clone(&inner))));
    let mut call = tokio_test::task::spawn(tower::Service::call(&mut service, ()));
    assert!(call.poll().is_pending());
    assert_eq!(Arc::strong_count(&held), 2, "the test and the service");
}

/// Of each recorded answer, cut once at every seventh byte and never going on.
#[tokio::test(start_paused = true)]
async fn a_page_that_breaks_off_says_less_and_nothing_else() {
    let broad = [
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
        let whole = failure(&through(LAYER, response).await);
        for at in (0..body.len()).step_by(7) {
            let steps = vec![Step::Data(body.slice(..at)), Step::Stall];
            let cut = failure(&through(LAYER, capture.response(steps).unwrap()).await);
            let less = [whole.reporter(), Reporter::Unknown].contains(&cut.reporter())
                && (broad.contains(&cut.cause()) || cut.cause() == whole.cause())
                && [whole.processed(), Processed::Maybe].contains(&cut.processed());
            assert!(cut == whole || less, "{} after {at}: {whole}; cut {cut}", capture.name());
        }
    }
}
