//! A body that a test feeds, and calls through the layer.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::ready,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use seawall::{
    BoxError, Failure,
    classify::classify_error,
    commit::{CommitBody, CommitLayer, FailedBeforeCommit, Judge},
    find_source,
};
use tokio_test::task::{self, Spawn};
use tower::{Layer, ServiceExt, service_fn};

/// One step of a [`FedBody`].
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    /// Returns pending once and wakes the task immediately.
    Pause,
    Error,
    End,
}

pub(crate) fn data(bytes: impl AsRef<[u8]>) -> Step {
    Step::Data(Bytes::copy_from_slice(bytes.as_ref()))
}

/// A body whose steps a [`Feed`] adds. Without a step, it is pending.
#[derive(Debug)]
pub(crate) struct FedBody {
    feed: Feed,
    size_hint: SizeHint,
    /// Held as long as the body lives.
    _alive: Arc<()>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Feed(Arc<Mutex<FeedState>>);

#[derive(Debug, Default)]
struct FeedState {
    steps: VecDeque<Step>,
    waker: Option<Waker>,
    alive: std::sync::Weak<()>,
}

impl Feed {
    pub(crate) fn push(&self, step: Step) {
        let mut state = self.0.lock().unwrap();
        state.steps.push_back(step);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// Returns whether the body exists.
    pub(crate) fn is_alive(&self) -> bool {
        self.0.lock().unwrap().alive.strong_count() > 0
    }
}

pub(crate) fn fed_body(steps: impl IntoIterator<Item = Step>) -> (FedBody, Feed) {
    let feed = Feed::default();
    let alive = Arc::new(());
    {
        let mut state = feed.0.lock().unwrap();
        state.steps.extend(steps);
        state.alive = Arc::downgrade(&alive);
    }
    (FedBody { feed: feed.clone(), size_hint: SizeHint::default(), _alive: alive }, feed)
}

impl FedBody {
    pub(crate) fn sized(mut self, len: u64) -> Self {
        self.size_hint = SizeHint::with_exact(len);
        self
    }
}

impl Body for FedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let mut state = this.feed.0.lock().unwrap();
        match state.steps.pop_front() {
            Some(Step::Data(data)) => {
                if let Some(len) = this.size_hint.exact() {
                    this.size_hint = SizeHint::with_exact(len - data.len() as u64);
                }
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Some(Step::Trailers(trailers)) => {
                state.steps.push_front(Step::End);
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Some(Step::Error) => {
                state.steps.push_front(Step::End);
                // As a body that has dropped its connection.
                this.size_hint = SizeHint::with_exact(0);
                let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                Poll::Ready(Some(Err(error.into())))
            }
            Some(Step::Pause) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::End) => {
                state.steps.push_front(Step::End);
                Poll::Ready(None)
            }
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.feed.0.lock().unwrap().steps.front(), Some(Step::End))
    }

    fn size_hint(&self) -> SizeHint {
        self.size_hint
    }
}

pub(crate) type Outcome = Result<Response<CommitBody<FedBody>>, BoxError>;
pub(crate) type Call = Spawn<Pin<Box<dyn Future<Output = Outcome> + Send>>>;

pub(crate) fn response(content_type: &str, body: FedBody) -> Response<FedBody> {
    Response::builder().header("content-type", content_type).body(body).unwrap()
}

/// Returns a call whose response is `response`.
pub(crate) fn call<J>(layer: &CommitLayer<J>, response: Response<FedBody>) -> Call
where
    J: Judge + Clone + Send + 'static,
{
    call_with(layer, Request::post("http://llm/v1").body(()).unwrap(), response)
}

pub(crate) fn call_with<J>(
    layer: &CommitLayer<J>,
    request: Request<()>,
    response: Response<FedBody>,
) -> Call
where
    J: Judge + Clone + Send + 'static,
{
    let mut response = Some(response);
    let service =
        service_fn(move |_: Request<()>| ready(Ok::<_, Infallible>(response.take().unwrap())));
    task::spawn(Box::pin(layer.layer(service).oneshot(request)))
}

/// Returns a call whose response is an event stream with these steps.
pub(crate) fn stream<J>(
    layer: &CommitLayer<J>,
    steps: impl IntoIterator<Item = Step>,
) -> (Call, Feed)
where
    J: Judge + Clone + Send + 'static,
{
    let (body, feed) = fed_body(steps);
    (call(layer, response("text/event-stream", body)), feed)
}

/// Returns the outcome of a call that must be complete.
pub(crate) fn outcome(call: &mut Call) -> Outcome {
    match call.poll() {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("the response is held"),
    }
}

pub(crate) async fn read(response: Response<CommitBody<FedBody>>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

pub(crate) fn failure(error: &BoxError) -> Failure {
    classify_error(&**error)
}

pub(crate) fn failed_before_commit(error: &BoxError) -> &FailedBeforeCommit {
    find_source(&**error).expect("FailedBeforeCommit")
}
