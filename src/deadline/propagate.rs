use std::{
    task::{Context, Poll},
    time::Duration,
};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::TimeoutHeader;
use crate::{headers, time_limit::Deadline};

/// Applies [`DeadlineHeader`], which sends the remaining time to the next hop in a header of each
/// attempt.
///
/// Place it innermost, next to the client: the time is computed when an attempt is sent. If the
/// request's extensions contain a [`Deadline`], the header replaces the caller's. Any other request
/// passes unchanged.
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
    /// Creates a layer that sends this header, with a margin of 50 ms.
    pub const fn new(header: TimeoutHeader) -> Self {
        Self { header: Some(HeaderSettings { header, margin: Duration::from_millis(50) }) }
    }

    /// Creates a layer that passes every request unchanged.
    pub const fn disabled() -> Self {
        Self { header: None }
    }

    /// Returns the margin, or `None` if the layer is disabled.
    pub(crate) fn margin_if_enabled(&self) -> Option<Duration> {
        self.header.map(|settings| settings.margin)
    }

    /// Sets the margin that is subtracted from the remaining time, so that the next hop's response
    /// arrives before the deadline here. At most half of the remaining time is subtracted. Defaults
    /// to 50 ms.
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

/// A service that sends the remaining time to the next hop.
///
/// Created by [`DeadlineHeaderLayer`].
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
    /// Inserts the header with the remaining time minus the margin, if the request has a deadline.
    fn write<B>(self, request: &mut Request<B>) {
        if let Some(deadline) = request.extensions().get::<Deadline>() {
            let remaining = deadline.remaining();
            let timeout = remaining.saturating_sub(self.margin.min(remaining / 2));
            let value = self.header.value(timeout);
            headers::insert(request.headers_mut(), &self.header.name(), value);
        }
    }
}
