use std::{
    fmt,
    ops::ControlFlow,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body, Frame};
use pin_project_lite::pin_project;
use seawall_core::{BoxError, classify::classify_error};

use super::{
    CommitBody, Judge, Reading, Verdict,
    hold::{FirstFrame, Hold},
    settings::Settings,
};

pin_project! {
    /// Response future of [`Commit`](super::Commit).
    pub struct ResponseFuture<F, J, B: Body> {
        // `None` while the response is held: the resources of the call are released before.
        #[pin]
        inner: Option<F>,
        hold: Option<Box<Hold<B, J>>>,
        // `None` if the response is not judged, and while it is held.
        judge: Option<J>,
        settings: Settings,
    }
}

impl<F, J, B: Body> ResponseFuture<F, J, B> {
    #[inline]
    pub(super) const fn new(inner: F, judge: Option<J>, settings: Settings) -> Self {
        Self { inner: Some(inner), hold: None, judge, settings }
    }
}

impl<F, J, B, E> Future for ResponseFuture<F, J, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    J: Judge,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<CommitBody<B>>, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut hold = if let Some(hold) = this.hold.take() {
            hold
        } else {
            let inner = this.inner.as_mut().as_pin_mut().expect("polled after completion");
            let mut response = ready!(inner.poll(cx)).map_err(Into::into)?;
            let reading = this.judge.as_ref().and_then(|judge| reading(judge, &response));
            let Some((reading, judge)) = reading.zip(this.judge.take()) else {
                return Poll::Ready(Ok(untouched(response)));
            };
            this.inner.set(None);
            let first = match reading {
                Reading::Bytes => match poll_first(&mut response, &judge, cx) {
                    ControlFlow::Break(data) => {
                        let response = response.map(|body| CommitBody::new(body, Some(data), None));
                        return Poll::Ready(Ok(response));
                    }
                    ControlFlow::Continue(first) => first,
                },
                _ => None,
            };
            Box::new(Hold::new(response, first, judge, reading, *this.settings))
        };
        match hold.poll(*this.settings, cx) {
            Poll::Ready(outcome) => Poll::Ready(finish(*hold, outcome)),
            Poll::Pending => {
                *this.hold = Some(hold);
                Poll::Pending
            }
        }
    }
}

/// Polls the first frame, and judges it. Most JSON is committed here, at little cost.
fn poll_first<B>(
    response: &mut Response<B>,
    judge: &impl Judge,
    cx: &mut Context<'_>,
) -> ControlFlow<Bytes, Option<FirstFrame<B>>>
where
    B: Body<Data = Bytes> + Unpin,
{
    if response.body().is_end_stream() {
        return ControlFlow::Continue(None);
    }
    let Poll::Ready(frame) = Pin::new(response.body_mut()).poll_frame(cx) else {
        return ControlFlow::Continue(None);
    };
    match frame {
        Some(Ok(frame)) => match frame.into_data() {
            Ok(data) if judge.judge_bytes(&data, false) == Verdict::Commit => {
                ControlFlow::Break(data)
            }
            Ok(data) => ControlFlow::Continue(Some(Some(Ok(Frame::data(data))))),
            Err(frame) => ControlFlow::Continue(Some(Some(Ok(frame)))),
        },
        frame => ControlFlow::Continue(Some(frame)),
    }
}

#[inline]
fn untouched<B>(response: Response<B>) -> Response<CommitBody<B>> {
    response.map(|body| CommitBody::new(body, None, None))
}

/// Returns the response of a hold that has ended.
fn finish<B, J>(
    hold: Hold<B, J>,
    outcome: Result<(), BoxError>,
) -> Result<Response<CommitBody<B>>, BoxError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
    J: Judge,
{
    match outcome {
        Ok(()) => Ok(hold.commit()),
        Err(error) => {
            crate::metrics::record_failure_before_commit(classify_error(&*error).cause());
            Err(error)
        }
    }
}

/// Returns how to read a response. Only a response that claims success is read.
#[inline]
fn reading<B: Body>(judge: &impl Judge, response: &Response<B>) -> Option<Reading> {
    if response.status() != StatusCode::OK {
        return None;
    }
    let headers = response.headers();
    judge.reading(headers).filter(|reading| reading.applies_to(headers))
}

impl<F: fmt::Debug, J, B: Body> fmt::Debug for ResponseFuture<F, J, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("inner", &self.inner)
            .field("holds", &self.hold.is_some())
            .finish_non_exhaustive()
    }
}
