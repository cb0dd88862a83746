use std::{
    task::{Context, Poll},
    time::Duration,
};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::TimeoutHeader;
use crate::Deadline;

/// Applies [`DeadlineHeader`]: tells the next hop how long it has, by a header made anew for each attempt.
///
/// Innermost, next to the client: what is left is computed when the request is sent, so that a second attempt says less than
/// the first. Where the request's extensions have a [`Deadline`], the header is written, in place of what the caller sent;
/// where they have none, the request passes as it is.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct DeadlineHeaderLayer {
    /// `None`: nothing is written.
    written: Option<Written>,
}

#[derive(Clone, Copy, Debug)]
struct Written {
    header: TimeoutHeader,
    margin: Duration,
}

impl DeadlineHeaderLayer {
    /// Writes this header, and keeps 50 ms.
    pub const fn new(header: TimeoutHeader) -> Self {
        Self { written: Some(Written { header, margin: Duration::from_millis(50) }) }
    }

    /// Passes every request as it is.
    pub const fn disabled() -> Self {
        Self { written: None }
    }

    /// The time that this hop keeps for itself; `None` if nothing is written.
    #[cfg(feature = "standard")]
    pub(crate) fn kept(&self) -> Option<Duration> {
        self.written.map(|written| written.margin)
    }

    /// Sets what this hop keeps for itself of the time that is left, so that the next hop's answer arrives before the
    /// deadline here. Never more than half of what is left. The default is 50 ms.
    pub const fn margin(mut self, margin: Duration) -> Self {
        if let Some(written) = &mut self.written {
            written.margin = margin;
        }
        self
    }
}

impl<S> Layer<S> for DeadlineHeaderLayer {
    type Service = DeadlineHeader<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineHeader { inner, written: self.written }
    }
}

/// Service made by [`DeadlineHeaderLayer`].
#[derive(Clone, Debug)]
pub struct DeadlineHeader<S> {
    inner: S,
    written: Option<Written>,
}

impl<S, B> Service<Request<B>> for DeadlineHeader<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(written) = self.written {
            written.write(&mut request);
        }
        self.inner.call(request)
    }
}

impl Written {
    /// Writes what is left of the time, if the request knows it.
    #[inline]
    fn write<B>(self, request: &mut Request<B>) {
        if let Some(deadline) = request.extensions().get::<Deadline>() {
            let left = deadline.remaining();
            let left = left.saturating_sub(self.margin.min(left / 2));
            request.headers_mut().insert(self.header.name(), self.header.value(left));
        }
    }
}
