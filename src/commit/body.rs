use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use seawall_core::BoxError;

use super::{
    ending::Ending,
    held::{Next, Replay, add},
};

pin_project! {
    /// Response body of [`Commit`](super::Commit). It yields the frames of the inner body unchanged,
    /// also those that were held back.
    pub struct CommitBody<B> {
        #[pin]
        inner: B,
        first: Option<Bytes>,
        // Boxed to keep the body of most responses small.
        follow_up: Option<Box<FollowUp>>,
    }
}

/// What a committed body needs besides the inner body and the first frame.
#[derive(Debug)]
pub(super) struct FollowUp {
    pub(super) replay: Replay,
    pub(super) ending: Option<Ending>,
}

impl<B> CommitBody<B> {
    #[inline]
    pub(super) const fn new(
        inner: B,
        first: Option<Bytes>,
        follow_up: Option<Box<FollowUp>>,
    ) -> Self {
        Self { inner, first, follow_up }
    }
}

impl<B> Body for CommitBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        let first = this.first.take().map(Frame::data);
        if let Some(follow_up) = this.follow_up {
            return follow_up.poll_frame(first, this.inner, cx);
        }
        match first {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => this.inner.poll_frame(cx).map(|frame| frame.map(|it| it.map_err(Into::into))),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match &self.follow_up {
            _ if self.first.is_some() => false,
            Some(follow_up) => follow_up.is_end_stream(&self.inner),
            None => self.inner.is_end_stream(),
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        let hint = self.inner.size_hint();
        let hint = match &self.follow_up {
            // The hint of a failed body may be zero. Readers would then stop before the error.
            Some(follow_up) if follow_up.has_failed() => SizeHint::default(),
            Some(follow_up) => follow_up.replay.size_hint(hint),
            None => hint,
        };
        match &self.first {
            Some(first) => add(hint, first.len()),
            None => hint,
        }
    }
}

impl FollowUp {
    fn poll_frame<B>(
        &mut self,
        first: Option<Frame<Bytes>>,
        inner: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        if let Some(ending) = &mut self.ending
            && ending.has_failed()
        {
            return ending.poll_error(cx);
        }
        let frame = match first.map_or_else(|| self.replay.pop(), Next::Frame) {
            Next::Frame(frame) => frame,
            Next::Rest => match ready!(inner.poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                None => return Poll::Ready(None),
                Some(Err(error)) => return self.fail(error.into(), cx),
            },
            Next::End => return Poll::Ready(None),
        };
        if let Some(ending) = &mut self.ending {
            ending.observe(&frame);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn fail(
        &mut self,
        error: BoxError,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.ending {
            Some(ending) => ending.fail(error, cx),
            None => Poll::Ready(Some(Err(error))),
        }
    }

    fn has_failed(&self) -> bool {
        self.ending.as_ref().is_some_and(Ending::has_failed)
    }

    fn is_end_stream(&self, inner: &impl Body) -> bool {
        if self.has_failed() {
            return false;
        }
        self.replay.is_end_stream() || (self.replay.is_empty() && inner.is_end_stream())
    }
}

impl<B: fmt::Debug> fmt::Debug for CommitBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CommitBody").field(&self.inner).finish()
    }
}
