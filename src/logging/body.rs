use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use seawall_core::{
    Cause, Failure, Processed, Reporter, classify::classify_body_error, internal::as_std_error,
};

use super::guard::RecordGuard;
use crate::body::may_stop_reading;

/// The failure of a body whose error has an unknown type.
const INCOMPLETE: Failure = Failure::new(Cause::HttpResponseIncomplete)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Yes);

pin_project! {
    /// The response body of [`Logging`](super::Logging).
    ///
    /// Forwards the frames of the inner body, and logs the response when the body ends.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        // Fields drop in order: the body drops before `guard` emits the event.
        #[pin]
        inner: B,
        guard: RecordGuard,
    }
}

impl<B> ResponseBody<B> {
    pub(super) const fn new(inner: B, guard: RecordGuard) -> Self {
        Self { inner, guard }
    }

    /// Wraps a body that is not logged.
    pub(super) fn unobserved(inner: B) -> Self {
        Self::new(inner, RecordGuard::default())
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: fmt::Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let guard = this.guard;
        let polled = guard.in_span(|| this.inner.as_mut().poll_frame(cx));
        if guard.is_disabled() {
            return polled;
        }
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    guard.on_data(data.remaining(), data.chunk());
                }
                // Trailers are the last frame of a body.
                if let Some(trailers) = frame.trailers_ref() {
                    guard.on_trailers(trailers);
                } else if may_stop_reading(&*this.inner) {
                    guard.on_complete();
                }
            }
            Poll::Ready(Some(Err(error))) => {
                let std_error = as_std_error(error);
                let failure = std_error.map_or(INCOMPLETE, classify_body_error);
                guard.on_failure(failure, std_error, error);
            }
            Poll::Ready(None) => guard.on_complete(),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
