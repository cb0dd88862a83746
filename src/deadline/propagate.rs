use std::{
    task::{Context, Poll},
    time::Duration,
};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::TimeoutHeader;
use crate::time_limit::Deadline;

/// Applies [`DeadlineHeader`], which writes the time that is left for the next hop into a header of each attempt.
///
/// It stands innermost, next to the client, so that the time is computed when an attempt is sent. If the request's extensions
/// have a [`Deadline`], the header replaces the caller's. Any other request passes unchanged.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct DeadlineHeaderLayer {
    /// `None` disables the layer.
    header: Option<HeaderSettings>,
}

#[derive(Clone, Copy, Debug)]
struct HeaderSettings {
    header: TimeoutHeader,
    margin: Duration,
}

impl DeadlineHeaderLayer {
    /// Writes this header, with a margin of 50 ms.
    pub const fn new(header: TimeoutHeader) -> Self {
        Self { header: Some(HeaderSettings { header, margin: Duration::from_millis(50) }) }
    }

    /// Passes every request unchanged.
    pub const fn disabled() -> Self {
        Self { header: None }
    }

    /// Returns the margin; `None` if the layer is disabled.
    pub(crate) fn margin_if_enabled(&self) -> Option<Duration> {
        self.header.map(|settings| settings.margin)
    }

    /// Sets the margin: the time that is subtracted, so that the next hop's response arrives before the deadline here. At most
    /// half of the remaining time is subtracted. Defaults to 50 ms.
    pub const fn margin(mut self, margin: Duration) -> Self {
        if let Some(settings) = &mut self.header {
            settings.margin = margin;
        }
        self
    }
}

impl<S> Layer<S> for DeadlineHeaderLayer {
    type Service = DeadlineHeader<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineHeader { inner, header: self.header }
    }
}

/// Service made by [`DeadlineHeaderLayer`].
#[derive(Clone, Debug)]
pub struct DeadlineHeader<S> {
    inner: S,
    header: Option<HeaderSettings>,
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
        if let Some(settings) = self.header {
            settings.write(&mut request);
        }
        self.inner.call(request)
    }
}

impl HeaderSettings {
    /// Writes the time that is left, less the margin, if the request has a deadline.
    fn write<B>(self, request: &mut Request<B>) {
        if let Some(deadline) = request.extensions().get::<Deadline>() {
            let left = deadline.remaining();
            let left = left.saturating_sub(self.margin.min(left / 2));
            request.headers_mut().insert(self.header.name(), self.header.value(left));
        }
    }
}
