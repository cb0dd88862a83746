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
    held::{Held, Next},
};

pin_project! {
    /// Response body of [`Commit`](super::Commit). It yields the frames of the inner body unchanged,
    /// also those that were held back.
    pub struct CommitBody<B> {
        #[pin]
        inner: B,
        held: Held,
        ending: Option<Box<Ending>>,
    }
}

impl<B> CommitBody<B> {
    /// Wraps a body of which nothing was held.
    #[inline]
    pub(super) fn untouched(inner: B) -> Self {
        Self::new(inner, Held::default(), None)
    }

    #[inline]
    pub(super) const fn new(inner: B, held: Held, ending: Option<Box<Ending>>) -> Self {
        Self { inner, held, ending }
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
        if let Some(ending) = this.ending.as_deref_mut()
            && ending.has_failed()
        {
            return ending.poll_error(cx);
        }
        let frame = match this.held.pop() {
            Next::Frame(frame) => Some(Ok(frame)),
            Next::Rest => ready!(this.inner.poll_frame(cx)),
            Next::End => None,
        };
        let Some(ending) = this.ending else {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        };
        match frame {
            Some(Ok(frame)) => {
                ending.observe(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => ending.fail(error.into(), cx),
            None => Poll::Ready(None),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        if self.ending.as_ref().is_some_and(|ending| ending.has_failed()) {
            return false;
        }
        self.held.is_end_stream() || (self.held.is_passed() && self.inner.is_end_stream())
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.held.size_hint(self.inner.size_hint())
    }
}

impl<B: fmt::Debug> fmt::Debug for CommitBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitBody")
            .field("inner", &self.inner)
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}
