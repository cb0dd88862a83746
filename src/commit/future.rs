use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use seawall_core::{BoxError, classify::classify_error};
use tokio::time::Sleep;

use super::{CommitBody, Judge, Reading, hold::Hold, settings::Settings};

pin_project! {
    /// Response future of [`Commit`](super::Commit).
    pub struct ResponseFuture<F, J, B> {
        // `None` while the response is held: the resources of the call are released before.
        #[pin]
        inner: Option<F>,
        hold: Option<Hold<B, J>>,
        // Created when the body first pauses.
        #[pin]
        timer: Option<Sleep>,
        // `None` if the response is not judged, and while it is held.
        judge: Option<J>,
        settings: Settings,
    }
}

impl<F, J, B> ResponseFuture<F, J, B> {
    #[inline]
    pub(super) const fn new(inner: F, judge: Option<J>, settings: Settings) -> Self {
        Self { inner: Some(inner), hold: None, timer: None, judge, settings }
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
        let hold = if let Some(hold) = this.hold {
            hold
        } else {
            let inner = this.inner.as_mut().as_pin_mut().expect("polled after completion");
            let response = ready!(inner.poll(cx)).map_err(Into::into)?;
            let reading = this.judge.as_ref().and_then(|judge| reading(judge, &response));
            let Some((reading, judge)) = reading.zip(this.judge.take()) else {
                return Poll::Ready(Ok(response.map(CommitBody::untouched)));
            };
            this.inner.set(None);
            this.hold.insert(Hold::new(response, judge, reading, *this.settings))
        };
        let outcome = ready!(hold.poll(*this.settings, this.timer, cx));
        let hold = this.hold.take().expect("polled after completion");
        if let Err(error) = &outcome {
            crate::metrics::record_failure_before_commit(classify_error(&**error).cause());
        }
        Poll::Ready(outcome.map(|()| hold.commit()))
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

impl<F: fmt::Debug, J, B> fmt::Debug for ResponseFuture<F, J, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("inner", &self.inner)
            .field("holds", &self.hold.is_some())
            .finish_non_exhaustive()
    }
}
