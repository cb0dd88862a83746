//! Observes the completion of a call, which ends with its response or with the body of its
//! response.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use seawall_core::BoxError;

/// Observes the completion of a call. At most one method is called, and then the observer is
/// dropped. No method is called if the caller drops the call.
pub trait CompletionObserver {
    /// Handles a panic of the inner service or the body. Must not panic: a second panic while the
    /// thread unwinds aborts the process.
    fn on_panic(&mut self) {}
    /// Handles the successful end of the call.
    fn on_complete(&mut self);
    /// Handles an error of the body.
    fn on_error(&mut self, error: &(dyn Error + 'static));
}

/// Holds the observer of a call, and separates panics of the inner service from panics of other
/// user code, such as a classifier.
///
/// Enter it before the inner service or body runs, and leave it when that returns. If it is dropped
/// in between, the inner service or body has panicked.
#[derive(Debug)]
pub struct PanicGuard<W: CompletionObserver> {
    observer: Option<W>,
    is_entered: bool,
}

impl<W: CompletionObserver> PanicGuard<W> {
    pub(crate) const fn new(observer: Option<W>) -> Self {
        Self { observer, is_entered: false }
    }

    pub(crate) const fn enter(&mut self) {
        self.is_entered = true;
    }

    pub(crate) const fn leave(&mut self) {
        self.is_entered = false;
    }

    pub(crate) const fn get_mut(&mut self) -> Option<&mut W> {
        self.observer.as_mut()
    }

    /// Passes the observer to `report` and drops it.
    pub(crate) fn finish(&mut self, report: impl FnOnce(&mut W)) {
        if let Some(observer) = &mut self.observer {
            report(observer);
            self.observer = None;
        }
    }

    const fn take(&mut self) -> Self {
        Self::new(self.observer.take())
    }
}

impl<W: CompletionObserver> Drop for PanicGuard<W> {
    fn drop(&mut self) {
        if self.is_entered
            && let Some(observer) = &mut self.observer
        {
            observer.on_panic();
        }
    }
}

/// Defines the end of a call.
#[diagnostic::on_unimplemented(
    message = "a response of type `{Res}` has no body whose end could be waited for",
    note = "calls end with the body of an `http::Response<_>`; for other responses, leave out \
            `.until_body_end()` of `CircuitBreakerLayer`, and set `.until_response()` on \
            `InFlightLimitLayer`"
)]
pub trait TrackCompletion<Res> {
    type Response<W: CompletionObserver>;

    /// Returns whether the head of the response indicates an overloaded or failing upstream.
    fn is_overload(_response: &Res) -> bool {
        false
    }

    /// Completes the call if it ends with the response. Otherwise, moves the observer into the
    /// response.
    fn wrap_response<W: CompletionObserver>(
        response: Res,
        observer: &mut PanicGuard<W>,
    ) -> Self::Response<W>;
}

/// The call ends with the response of the service.
#[derive(Debug)]
#[non_exhaustive]
pub struct CompleteOnResponse {}

/// The call ends with the body of the HTTP response.
#[derive(Debug)]
#[non_exhaustive]
pub struct CompleteOnBodyEnd {}

impl<Res> TrackCompletion<Res> for CompleteOnResponse {
    type Response<W: CompletionObserver> = Res;

    #[inline]
    fn wrap_response<W: CompletionObserver>(response: Res, observer: &mut PanicGuard<W>) -> Res {
        observer.finish(CompletionObserver::on_complete);
        response
    }
}

impl<B> TrackCompletion<Response<B>> for CompleteOnBodyEnd
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Response<W: CompletionObserver> = Response<ObservedBody<B, W>>;

    fn is_overload(response: &Response<B>) -> bool {
        let status = response.status();
        status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
    }

    fn wrap_response<W: CompletionObserver>(
        response: Response<B>,
        observer: &mut PanicGuard<W>,
    ) -> Response<ObservedBody<B, W>> {
        let mut observer = observer.take();
        // A body that reports its end here is never polled. Only `is_end_stream` is checked: a size
        // of zero without it is rare.
        if response.body().is_end_stream() {
            observer.finish(CompletionObserver::on_complete);
        }
        response.map(|inner| ObservedBody { inner, observer })
    }
}

pin_project! {
    /// A response body that passes its frames unchanged and reports its end to an observer.
    pub struct ObservedBody<B, W: CompletionObserver> {
        #[pin]
        inner: B,
        observer: PanicGuard<W>,
    }
}

/// Returns whether a reader may stop without polling for the end. hyper's server stops if either
/// method reports it.
pub(crate) fn is_body_end(body: &impl Body) -> bool {
    body.is_end_stream() || body.size_hint().upper() == Some(0)
}

impl<B, W> Body for ObservedBody<B, W>
where
    B: Body,
    B::Error: Into<BoxError>,
    W: CompletionObserver,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let mut this = self.project();
        this.observer.enter();
        let polled = this.inner.as_mut().poll_frame(cx);
        this.observer.leave();
        let frame = ready!(polled).map(|frame| frame.map_err(Into::into));
        match &frame {
            Some(Ok(frame)) => {
                if frame.is_trailers() || is_body_end(&*this.inner) {
                    this.observer.finish(CompletionObserver::on_complete);
                }
            }
            Some(Err(error)) => this.observer.finish(|observer| observer.on_error(&**error)),
            None => this.observer.finish(CompletionObserver::on_complete),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: fmt::Debug, W: CompletionObserver> fmt::Debug for ObservedBody<B, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResponseBody").field(&self.inner).finish()
    }
}
