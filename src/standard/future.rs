use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::attempt::AttemptBody;
use crate::{
    BoxError, Classify, deadline, deadline::Limit, logging, logging::Slot, poll_into::PollInto,
};

pin_project! {
    /// Response future of [`Standard`](super::Standard): what `Logging` and `WithDeadline` do with theirs, by their own parts.
    #[derive(Debug)]
    pub struct ResponseFuture<F, C> {
        #[pin]
        inner: logging::ResponseFuture<Bound<F>, C, logging::Known>,
    }
}

pin_project! {
    /// Bounds the body where it is.
    #[derive(Debug)]
    struct Bound<F> {
        #[pin]
        inner: deadline::ResponseFuture<F>,
    }
}

impl<F, C> ResponseFuture<F, C> {
    #[inline]
    pub(super) const fn new(
        inner: Option<F>,
        limit: Option<Limit>,
        slot: Slot,
        classifier: C,
    ) -> Self {
        let inner = Bound { inner: deadline::ResponseFuture::new(inner, limit) };
        Self { inner: logging::ResponseFuture::new(inner, slot, classifier) }
    }
}

impl<F, C, B> Future for ResponseFuture<F, C>
where
    F: PollInto<Output = Result<Response<AttemptBody<B>>, BoxError>>,
    C: Classify<Response<AttemptBody<B>>>,
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<AttemptBody<B>>, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut polled = Poll::Pending;
        self.project().inner.poll_into(cx, &mut polled);
        polled
    }
}

impl<F, B> PollInto for Bound<F>
where
    F: PollInto<Output = Result<Response<AttemptBody<B>>, BoxError>>,
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = F::Output;

    #[inline]
    fn poll_into(self: Pin<&mut Self>, cx: &mut Context<'_>, polled: &mut Poll<F::Output>) {
        self.project().inner.poll_into(cx, polled, |response, bounds| {
            response.body_mut().inner_mut().inner_mut().bound(bounds);
        });
    }

    #[inline]
    fn wakes_by(&self) -> Option<Instant> {
        None
    }
}
