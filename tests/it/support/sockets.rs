//! Clients and stacks for tests on real sockets.
//!
//! Real sockets need the real clock. No test depends on a measured time.

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
pub(crate) type HyperClient<B> = Client<HttpConnector, B>;

/// A time limit that no call on the loopback interface reaches.
pub(crate) const UNREACHED_LIMIT: Duration = Duration::from_secs(10);

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

/// Returns a body of unknown size and a sender of its data.
pub(crate) fn channel() -> (mpsc::UnboundedSender<Bytes>, Body) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let frames = stream::poll_fn(move |cx| {
        let data = receiver.poll_recv(cx);
        data.map(|data| data.map(|data| Ok(Frame::data(data))))
    });
    (sender, StreamBody::new(frames).boxed())
}

pub(crate) fn hyper_client<B>() -> HyperClient<B>
where
    B: http_body::Body<Data: Send> + Send,
{
    Client::builder(TokioExecutor::new()).build_http()
}

/// Wraps a client in retry and timeout with default settings, but without backoff and budget.
///
/// Tests with many calls per second would exhaust the default budget.
pub(crate) fn stack<S: Clone>(client: S) -> Retry<Timeout<S>> {
    let retry = RetryLayer::new().backoff(Backoff::none()).budget(Budget::none());
    retry.layer(TimeoutLayer::new(UNREACHED_LIMIT).layer(client))
}

/// The classification of a call that ends in an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CallFailure {
    pub(crate) cause: Cause,
    pub(crate) processed: Processed,
    /// The count in `RetriesExhausted`, or 1 without that error.
    pub(crate) attempts: u32,
}

impl CallFailure {
    /// Classifies an error. Panics if the default classifier and `classify_error` disagree.
    pub(crate) fn from_error(error: &(dyn Error + 'static)) -> Self {
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

/// Makes a GET and a POST through `service`, and returns their failures.
pub(crate) async fn get_and_post<S, B>(service: S, url: &str) -> [CallFailure; 2]
where
    S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>> + Clone,
{
    let call = async |method| match service.clone().oneshot(request(method, url, empty())).await {
        Ok(response) => panic!("expected an error, found status {}", response.status()),
        Err(error) => CallFailure::from_error(&*error.into()),
    };
    [call("GET").await, call("POST").await]
}

/// Asserts the failures of a GET and a POST, through a client and through a stack around a client.
///
/// The numbers of attempts apply to the stack. A client without a stack makes one attempt.
pub(crate) async fn assert_failures<S1, S2, R>(
    (client, client_of_stack): (S1, S2),
    url: &str,
    (cause, processed): (Cause, Processed),
    [gets, posts]: [u32; 2],
) where
    S1: Service<Request<Body>, Response = Response<R>, Error: Into<BoxError>> + Clone,
    S2: Service<Request<ReplayBody<Body>>, Response = Response<R>, Error: Into<BoxError>> + Clone,
    R: http_body::Body,
{
    let failure = |attempts| CallFailure { cause, processed, attempts };
    let expected = [failure(1), failure(1)];
    assert_eq!(get_and_post(client, url).await, expected, "without a stack");
    let expected = [failure(gets), failure(posts)];
    assert_eq!(get_and_post(stack(client_of_stack), url).await, expected, "with a stack");
}

/// Waits until `condition` is true. Panics after [`UNREACHED_LIMIT`].
pub(crate) async fn eventually(condition: impl Fn() -> bool) {
    let polling = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(UNREACHED_LIMIT, polling).await.expect("the condition must become true");
}

pub(crate) async fn read<B>(response: Response<B>) -> Result<Bytes, B::Error>
where
    B: http_body::Body,
{
    Ok(response.into_body().collect().await?.to_bytes())
}
