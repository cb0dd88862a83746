//! Clients and stacks for tests on real sockets. Real sockets need the real clock; nothing is decided by measured time.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::BoxBody};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use scripted_origin::{Origin, Script};
use seawall::{
    BoxError, Cause, Processed, Reporter,
    classify::{Classify, HttpClassifier, classify_error},
    find_source,
    retry::{Backoff, Budget, ReplayBody, RetriesExhausted, Retry, RetryLayer},
    timeout::{Timeout, TimeoutLayer},
};
use tokio::sync::mpsc;
use tower::{Layer, Service, ServiceExt};

pub(crate) type Body = BoxBody<Bytes, BoxError>;
pub(crate) type Hyper<B> = Client<HttpConnector, B>;

/// Nothing on the loopback takes as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

pub(crate) async fn origin(script: Script) -> Origin {
    Origin::start(script).await.unwrap()
}

pub(crate) fn url(origin: &Origin) -> String {
    format!("http://{}/", origin.addr())
}

pub(crate) fn request(method: &str, url: &str, body: Body) -> Request<Body> {
    Request::builder().method(method).uri(url).body(body).unwrap()
}

pub(crate) fn empty() -> Body {
    Empty::new().map_err(Into::into).boxed()
}

pub(crate) fn full(data: &'static [u8]) -> Body {
    Full::from(data).map_err(Into::into).boxed()
}

/// A body of unknown size that yields what is sent to it.
pub(crate) fn channel() -> (mpsc::UnboundedSender<Bytes>, Body) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let frames = stream::poll_fn(move |cx| {
        let data = receiver.poll_recv(cx);
        data.map(|data| data.map(|data| Ok(Frame::data(data))))
    });
    (sender, StreamBody::new(frames).boxed())
}

pub(crate) fn hyper<B>() -> Hyper<B>
where
    B: http_body::Body<Data: Send> + Send,
{
    Client::builder(TokioExecutor::new()).build_http()
}

/// With the defaults, but without waits, and without a budget, which tests of many calls in a second would spend.
pub(crate) fn stack<S: Clone>(client: S) -> Retry<Timeout<S>> {
    let retry = RetryLayer::new().backoff(Backoff::none()).budget(Budget::none());
    retry.layer(TimeoutLayer::new(LIMIT).layer(client))
}

/// What is concluded of a call that ends in an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) cause: Cause,
    pub(crate) processed: Processed,
    /// As `RetriesExhausted` has it; 1 without it.
    pub(crate) attempts: u32,
}

impl Verdict {
    /// By the default classifier, which must not know less of an error that layers have wrapped.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let classifier = HttpClassifier::new();
        let failure = Classify::<Response<()>>::classify(&classifier, Err(error)).unwrap();
        assert_eq!(failure, classify_error(error));
        assert_eq!((failure.reporter(), failure.status()), (Reporter::Local, None));
        Self {
            cause: failure.cause(),
            processed: failure.processed(),
            attempts: find_source::<RetriesExhausted>(error).map_or(1, |it| it.attempts().get()),
        }
    }
}

/// The verdict on a GET and on a POST through `service`.
pub(crate) async fn get_and_post<S, B>(service: S, url: &str) -> [Verdict; 2]
where
    S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>> + Clone,
{
    let call = async |method| match service.clone().oneshot(request(method, url, empty())).await {
        Ok(response) => panic!("a response: {}", response.status()),
        Err(error) => Verdict::of(&*error.into()),
    };
    [call("GET").await, call("POST").await]
}

/// The verdicts of a bare client and of the stack around one, for a GET and a POST each, must be that; the number
/// of attempts is for the stack's.
pub(crate) async fn assert_ends<S1, S2, R>(
    (bare, client): (S1, S2),
    url: &str,
    (cause, processed): (Cause, Processed),
    [gets, posts]: [u32; 2],
) where
    S1: Service<Request<Body>, Response = Response<R>, Error: Into<BoxError>> + Clone,
    S2: Service<Request<ReplayBody<Body>>, Response = Response<R>, Error: Into<BoxError>> + Clone,
    R: http_body::Body,
{
    let verdict = |attempts| Verdict { cause, processed, attempts };
    let once = [verdict(1), verdict(1)];
    assert_eq!(get_and_post(bare, url).await, once, "bare");
    let stacked = [verdict(gets), verdict(posts)];
    assert_eq!(get_and_post(stack(client), url).await, stacked, "stacked");
}

/// Waits until the other side has seen something.
pub(crate) async fn eventually(what: impl Fn() -> bool) {
    let seen = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LIMIT, seen).await.expect("seen");
}

pub(crate) async fn read<B>(response: Response<B>) -> Result<Bytes, B::Error>
where
    B: http_body::Body,
{
    Ok(response.into_body().collect().await?.to_bytes())
}
