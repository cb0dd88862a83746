use std::{
    fmt,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use http::{Response, response::Parts};
use http_body::Body;
use pin_project_lite::pin_project;
use seawall_core::fingerprint::{Diagnosis, ReadProgress};
use tokio::{
    task::coop::unconstrained,
    time::{Sleep, sleep},
};

use super::{ResponseBody, peek::Peek, settings::Settings};

pin_project! {
    /// Response future of [`BadGatewayClassifier`](super::BadGatewayClassifier).
    pub struct ResponseFuture<F, B: Body> {
        // `None` while the body is inspected: the resources of the call are released before.
        #[pin]
        inner: Option<F>,
        settings: Settings,
        inspection: Option<Box<Inspection<B>>>,
    }
}

impl<F, B: Body> ResponseFuture<F, B> {
    pub(super) const fn new(inner: F, settings: Settings) -> Self {
        Self { inner: Some(inner), settings, inspection: None }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let settings = *this.settings;
        let mut inspection = if let Some(inspection) = this.inspection.take() {
            inspection
        } else {
            let inner = this.inner.as_mut().as_pin_mut().expect("polled after completion");
            let response = ready!(inner.poll(cx))?;
            if !settings.inspects(&response) {
                return Poll::Ready(Ok(response.map(ResponseBody::untouched)));
            }
            let (mut parts, body) = response.into_parts();
            let mut diagnosis = Diagnosis::from_head(parts.status, &parts.headers);
            if !diagnosis.is_final() && body.is_end_stream() {
                diagnosis.update(&parts.headers, b"", ReadProgress::Complete);
            }
            if diagnosis.is_final() || !settings.inspects_body(&parts, &body) {
                diagnosis.insert_into(&mut parts.extensions);
                let body = ResponseBody::untouched(body);
                return Poll::Ready(Ok(Response::from_parts(parts, body)));
            }
            this.inner.set(None);
            Box::new(Inspection::new(parts, body, diagnosis, settings))
        };
        if inspection.poll(settings, cx).is_pending() {
            *this.inspection = Some(inspection);
            return Poll::Pending;
        }
        Poll::Ready(Ok(inspection.finish()))
    }
}

/// A failed response whose body is inspected.
struct Inspection<B: Body> {
    parts: Parts,
    diagnosis: Diagnosis,
    peek: Box<Peek<B>>,
    /// The number of bytes at the last update of the diagnosis.
    inspected_len: usize,
    /// Created when the body first pauses.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B: Body> Inspection<B> {
    fn new(parts: Parts, body: B, diagnosis: Diagnosis, settings: Settings) -> Self {
        let peek = Box::new(Peek::new(body, settings.max_peek_bytes));
        Self { parts, diagnosis, peek, inspected_len: 0, timer: None }
    }

    /// Reads the body until it is recognized, it ends, or a limit of bytes or time is reached.
    fn poll(&mut self, settings: Settings, cx: &mut Context<'_>) -> Poll<()> {
        if self.peek.poll_fill(cx).is_ready() {
            self.inspect(true);
            return Poll::Ready(());
        }
        self.inspect(false);
        if !self.diagnosis.is_final() {
            ready!(self.poll_timer(settings, cx));
            self.inspect(true);
        }
        Poll::Ready(())
    }

    /// Updates the diagnosis. `is_last` means that no more bytes will be read.
    fn inspect(&mut self, is_last: bool) {
        let prefix = self.peek.prefix();
        if is_last || self.inspected_len != prefix.len() {
            self.inspected_len = prefix.len();
            let progress = match is_last {
                false => ReadProgress::Partial,
                true if self.peek.is_complete() => ReadProgress::Complete,
                true => ReadProgress::Stopped,
            };
            self.diagnosis.update(&self.parts.headers, prefix, progress);
        }
    }

    fn poll_timer(&mut self, settings: Settings, cx: &mut Context<'_>) -> Poll<()> {
        if settings.peek_timeout.is_zero() {
            return Poll::Ready(());
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(settings.peek_timeout)));
        // Unconstrained: otherwise a body that spends the whole coop budget on every poll would
        // starve the timer.
        pin!(unconstrained(timer.as_mut())).poll(cx)
    }

    /// Returns the response with its diagnosis and the complete body.
    fn finish(self) -> Response<ResponseBody<B>> {
        let Self { mut parts, diagnosis, peek, .. } = self;
        diagnosis.insert_into(&mut parts.extensions);
        Response::from_parts(parts, ResponseBody::peeked(peek))
    }
}

impl<F: fmt::Debug, B: Body> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("inner", &self.inner)
            .field("inspecting", &self.inspection.is_some())
            .finish_non_exhaustive()
    }
}
