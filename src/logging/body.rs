use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{end::End, future::failed, slot::Slot};
use crate::{Cause, Failure, Processed, Reporter, classify::classify_body_error, error::as_dyn};

pin_project! {
    /// Response body of [`Logging`](super::Logging): the inner body as it is, watched to its end.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        slot: Slot,
    }
}

type Polled<B> = Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>;

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

#[cfg(feature = "standard")]
impl<B> ResponseBody<B> {
    pub(crate) const fn inner_mut(&mut self) -> &mut B {
        &mut self.inner
    }

    pub(super) fn watch(&mut self, slot: Slot) {
        self.slot = slot;
    }
}

impl<B> ResponseBody<B>
where
    B: Body,
    B::Error: fmt::Display + 'static,
{
    #[inline(never)]
    fn poll_watched(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Polled<B>> {
        let mut this = self.project();
        let polled = {
            let _entered = this.slot.enter();
            this.inner.as_mut().poll_frame(cx)
        };
        this.slot.left();
        let frame = ready!(polled);
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(record), Some(data)) = (this.slot.get(), frame.data_ref()) {
                    record.data(data.remaining(), data.chunk());
                }
                // A reader may stop here without asking for the end: trailers are the last frame.
                let whole = this.slot.get().is_some_and(|record| record.is_whole());
                if whole || frame.is_trailers() || this.inner.is_end_stream() {
                    this.slot.finish(End::Complete);
                }
            }
            Some(Err(error)) => {
                let known = as_dyn(error);
                failed(this.slot, known.map_or(INCOMPLETE, classify_body_error), known, error);
            }
            None => this.slot.finish(End::Complete),
        }
        Poll::Ready(frame)
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: fmt::Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        if self.slot.is_empty() {
            return self.project().inner.poll_frame(cx);
        }
        self.poll_watched(cx)
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

const INCOMPLETE: Failure = Failure::new(Cause::HttpResponseIncomplete)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Yes);
