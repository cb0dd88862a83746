//! Scripted services and bodies.

#[cfg(all(feature = "full", feature = "hyper-util"))]
pub(crate) mod sockets;

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use seawall::{
    BoxError,
    test_util::{self, FlakyService},
};
use tower::Service;

/// One step of a [`ScriptedBody`] body.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    /// Returns pending once and wakes the task immediately.
    Pause,
    /// Returns pending forever.
    Stall,
    Error,
}

/// A body that performs its steps in order. It is not `Unpin`, because bodies need not be.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScriptedBody {
    steps: VecDeque<Step>,
    size_hint: SizeHint,
    _pinned: std::marker::PhantomPinned,
}

impl ScriptedBody {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), ..Self::default() }
    }

    /// Creates a body whose size hint is exact.
    pub(crate) fn sized(steps: impl IntoIterator<Item = Step>) -> Self {
        let mut body = Self::new(steps);
        let sizes = body.steps.iter().map(|step| match step {
            Step::Data(data) => data.len() as u64,
            _ => 0,
        });
        body.size_hint = SizeHint::with_exact(sizes.sum());
        body
    }
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // Without `unsafe`, a field of a pinned `!Unpin` type can only change with the whole value.
        let mut this = self;
        let mut rest = (*this).clone();
        let step = rest.steps.pop_front();
        if let (Some(Step::Data(data)), Some(exact)) = (&step, rest.size_hint.exact()) {
            rest.size_hint = SizeHint::with_exact(exact - data.len() as u64);
        }
        let stalled = matches!(step, Some(Step::Stall));
        if !stalled {
            this.set(rest);
        }
        match step {
            Some(Step::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(Step::Error) => Poll::Ready(Some(Err("the body failed".into()))),
            Some(Step::Pause) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Stall) => Poll::Pending,
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.size_hint
    }
}

/// The reaction of a [`Script`] to a request.
pub(crate) enum Action<B> {
    /// Reads the complete request, then responds.
    Respond(Response<B>),
    /// Reads this many frames of the request body, drops the rest, then responds.
    RespondAfter(usize, Response<B>),
    Fail(BoxError),
    /// Never responds.
    Stall,
}

/// The request of one attempt.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SentRequest {
    pub(crate) head: String,
    pub(crate) data: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
    /// True if the body was read to its end.
    pub(crate) is_complete: bool,
    pub(crate) attempt: Option<u32>,
}

/// A service that performs one scripted action per request and stores the requests.
pub(crate) struct Script<B> {
    actions: Arc<Mutex<VecDeque<Action<B>>>>,
    sent: Arc<Mutex<Vec<SentRequest>>>,
}

impl<B> Clone for Script<B> {
    fn clone(&self) -> Self {
        Self { actions: Arc::clone(&self.actions), sent: Arc::clone(&self.sent) }
    }
}

impl<B> Script<B> {
    pub(crate) fn new(actions: impl IntoIterator<Item = Action<B>>) -> Self {
        Self { actions: Arc::new(Mutex::new(actions.into_iter().collect())), sent: Arc::default() }
    }

    pub(crate) fn sent(&self) -> Vec<SentRequest> {
        self.sent.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

impl<B, ReqBody> Service<Request<ReqBody>> for Script<B>
where
    B: Send + 'static,
    ReqBody: Body<Data = Bytes> + Send + 'static,
    ReqBody::Error: Into<BoxError>,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let action =
            self.actions.lock().unwrap().pop_front().expect("expected one action per request");
        let sent = Arc::clone(&self.sent);
        let (parts, body) = request.into_parts();
        #[allow(unused_mut)]
        let mut record = SentRequest {
            head: format!("{} {} {:?}", parts.method, parts.uri, parts.headers),
            ..SentRequest::default()
        };
        #[cfg(feature = "retry")]
        {
            let attempt = parts.extensions.get::<seawall::retry::AttemptNumber>();
            record.attempt = attempt.map(|attempt| attempt.0.get());
        }
        let index = {
            let mut sent = sent.lock().unwrap();
            sent.push(record);
            sent.len() - 1
        };
        Box::pin(async move {
            let mut body = Box::pin(body);
            let frames = match &action {
                Action::Respond(_) => usize::MAX,
                Action::RespondAfter(frames, _) => *frames,
                Action::Fail(_) | Action::Stall => 0,
            };
            for _ in 0..frames {
                let Some(frame) = body.frame().await else {
                    sent.lock().unwrap()[index].is_complete = true;
                    break;
                };
                let frame = frame.map_err(Into::into)?;
                let mut sent = sent.lock().unwrap();
                match frame.into_data() {
                    Ok(data) => sent[index].data.extend_from_slice(&data),
                    Err(frame) => sent[index].trailers = frame.into_trailers().ok(),
                }
            }
            match action {
                Action::Respond(response) | Action::RespondAfter(_, response) => Ok(response),
                Action::Fail(error) => Err(error),
                Action::Stall => std::future::pending().await,
            }
        })
    }
}

pub(crate) fn response<B: Default>(status: u16) -> Response<B> {
    Response::builder().status(status).body(B::default()).unwrap()
}

pub(crate) fn get() -> Request<Full<Bytes>> {
    Request::get("http://upstream/").body(Full::default()).unwrap()
}

/// Returns a scripted upstream of `seawall::test_util`.
pub(crate) fn upstream(script: impl Into<test_util::Script>) -> FlakyService {
    FlakyService::new(script).unwrap()
}

/// Returns an upstream that responds with these statuses in order.
pub(crate) fn respond_with(statuses: &[u16]) -> FlakyService {
    upstream(statuses.iter().copied().map(test_util::Step::status).collect::<test_util::Script>())
}

/// Consumes the task's remaining cooperative budget and wakes the task, as a busy future does.
pub(crate) fn exhaust_coop_budget(cx: &mut Context<'_>) {
    while tokio::task::coop::has_budget_remaining() {
        let _ = std::pin::pin!(tokio::task::coop::consume_budget()).poll(cx);
    }
    cx.waker().wake_by_ref();
}

/// Stays pending forever and consumes the whole cooperative budget on every poll.
pub(crate) async fn busy_pending<T>() -> T {
    std::future::poll_fn(|cx| {
        exhaust_coop_budget(cx);
        Poll::Pending
    })
    .await
}
