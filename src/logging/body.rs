use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{future::failed, slot::Slot};
use crate::{
    body::is_at_end,
    classify::classify_body_error,
    error::as_dyn,
    failure::{Cause, Failure, Processed, Reporter},
};

pin_project! {
    /// Response body of [`Logging`](super::Logging): the inner body as it is, watched to its end.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        slot: Slot,
    }
}

impl<B: Body> ResponseBody<B> {
    #[inline]
    pub(crate) const fn unwatched(inner: B) -> Self {
        Self { inner, slot: Slot::none() }
    }

    #[inline]
    pub(super) const fn new(inner: B, slot: Slot) -> Self {
        Self { inner, slot }
    }
}

type Next<B> = Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>;

/// In bytes: a body as clients and servers have one, and not one of a whole stack.
const SMALL: usize = 96;

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: fmt::Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a frame is large to hand on")]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        // A large body is not taken apart by the compiler anyway: then the rarer way stands apart, so that a body that nobody
        // hears of is polled as if it were bare.
        if const { size_of::<B>() <= SMALL } {
            return self.poll_here(cx);
        }
        if self.slot.is_empty() { self.project().inner.poll_frame(cx) } else { self.poll_apart(cx) }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> ResponseBody<B>
where
    B: Body,
    B::Error: fmt::Display + 'static,
{
    #[inline(never)]
    fn poll_apart(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Next<B>> {
        self.poll_here(cx)
    }

    #[inline]
    fn poll_here(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Next<B>> {
        let mut this = self.project();
        let Some(record) = this.slot.record() else { return this.inner.poll_frame(cx) };
        let polled = record.watching(|| {
            let _entered = this.slot.enter();
            this.inner.as_mut().poll_frame(cx)
        });
        let slot = this.slot;
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                // Trailers are the last frame.
                let last = frame.is_trailers() || is_at_end(&*this.inner);
                match frame.data_ref() {
                    Some(data) => slot.data(data.remaining(), data.chunk(), last),
                    None => slot.data(0, &[], last),
                }
            }
            Poll::Ready(Some(Err(error))) => {
                let known = as_dyn(error);
                let failure = known.map_or(INCOMPLETE, classify_body_error);
                failed(slot.take(), failure, known, error);
            }
            Poll::Ready(None) => slot.complete(),
        }
        polled
    }
}

const INCOMPLETE: Failure = Failure::new(Cause::HttpResponseIncomplete)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Yes);
