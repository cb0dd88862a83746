//! Observes the completion of a call. A call ends with its response, or with the body of its
//! response.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderMap, Response, StatusCode};
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
    /// Handles the successful end of a body with trailers, which may report a failure.
    fn on_trailers(&mut self, _trailers: &HeaderMap) {
        self.on_complete();
    }
    /// Handles an error of the body.
    fn on_error(&mut self, error: &(dyn Error + 'static));
    /// Handles the response that the caller gets, and each further frame of its body: the next step
    /// is the caller's.
    fn on_unread(&mut self) {}
    /// Handles a poll of the body that is pending: the next step is the upstream's.
    fn on_pending(&mut self) {}
}

/// Holds the observer of a call, and reports a panic of the inner service or body to it. Panics of
/// other user code, such as a classifier, are not reported.
///
/// Call `enter` before the inner service or body runs, and `leave` when it returns. If the guard is
/// dropped in between, the inner service or body has panicked.
#[derive(Debug)]
pub struct PanicGuard<O: CompletionObserver> {
    observer: Option<O>,
    is_entered: bool,
}

impl<O: CompletionObserver> PanicGuard<O> {
    pub(crate) const fn new(observer: Option<O>) -> Self {
        Self { observer, is_entered: false }
    }

    pub(crate) const fn enter(&mut self) {
        self.is_entered = true;
    }

    pub(crate) const fn leave(&mut self) {
        self.is_entered = false;
    }

    pub(crate) const fn get_mut(&mut self) -> Option<&mut O> {
        self.observer.as_mut()
    }

    /// Passes the observer to `report` and drops it.
    pub(crate) fn finish(&mut self, report: impl FnOnce(&mut O)) {
        if let Some(observer) = &mut self.observer {
            report(observer);
            self.observer = None;
        }
    }

    /// Drops the observer without calling it.
    pub(crate) fn release(&mut self) {
        self.observer = None;
    }

    /// Moves the observer into a new guard.
    const fn take(&mut self) -> Self {
        Self::new(self.observer.take())
    }
}

impl<O: CompletionObserver> Drop for PanicGuard<O> {
    fn drop(&mut self) {
        if self.is_entered
            && let Some(observer) = &mut self.observer
        {
            observer.on_panic();
        }
    }
}

/// Determines when a call ends. The implementors are markers that a layer has as a type parameter.
#[diagnostic::on_unimplemented(
    message = "a response of type `{Res}` has no body whose end could be waited for",
    note = "calls end with the body of an `http::Response<_>`; for other responses, leave out \
            `.until_body_end()` of `CircuitBreakerLayer`, and set `.until_response()` on \
            `InFlightLimitLayer`"
)]
pub trait TrackCompletion<Res> {
    type Response<O: CompletionObserver>;

    /// Returns whether the status of the response indicates an overloaded or failing upstream.
    fn is_overload(_response: &Res) -> bool {
        false
    }

    /// Completes the call if it ends with the response. Otherwise, moves the observer into the
    /// response.
    fn wrap_response<O: CompletionObserver>(
        response: Res,
        guard: &mut PanicGuard<O>,
    ) -> Self::Response<O>;
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
    type Response<O: CompletionObserver> = Res;

    #[inline]
    fn wrap_response<O: CompletionObserver>(response: Res, guard: &mut PanicGuard<O>) -> Res {
        guard.finish(CompletionObserver::on_complete);
        response
    }
}

impl<B> TrackCompletion<Response<B>> for CompleteOnBodyEnd
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Response<O: CompletionObserver> = Response<ObservedBody<B, O>>;

    fn is_overload(response: &Response<B>) -> bool {
        let status = response.status();
        status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
    }

    fn wrap_response<O: CompletionObserver>(
        response: Response<B>,
        guard: &mut PanicGuard<O>,
    ) -> Response<ObservedBody<B, O>> {
        let mut guard = guard.take();
        // Servers do not poll a body that has already ended. Bodies with a size hint of zero whose
        // `is_end_stream` is false are rare, so the size hint is not checked.
        if response.body().is_end_stream() {
            guard.finish(CompletionObserver::on_complete);
        } else if let Some(observer) = guard.get_mut() {
            observer.on_unread();
        }
        response.map(|inner| ObservedBody { inner, guard })
    }
}

pin_project! {
    /// A response body that passes its frames unchanged and reports its end to an observer.
    pub struct ObservedBody<B, O: CompletionObserver> {
        #[pin]
        inner: B,
        guard: PanicGuard<O>,
    }
}

/// Returns whether a reader may stop before the body returns `None`. hyper's server stops if
/// `is_end_stream` is true or the size hint is zero.
pub(crate) fn may_stop_reading(body: &impl Body) -> bool {
    body.is_end_stream() || body.size_hint().upper() == Some(0)
}

impl<B, O> Body for ObservedBody<B, O>
where
    B: Body,
    B::Error: Into<BoxError>,
    O: CompletionObserver,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let mut this = self.project();
        this.guard.enter();
        let polled = this.inner.as_mut().poll_frame(cx);
        this.guard.leave();
        let Poll::Ready(frame) = polled else {
            if let Some(observer) = this.guard.get_mut() {
                observer.on_pending();
            }
            return Poll::Pending;
        };
        let frame = frame.map(|frame| frame.map_err(Into::into));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.guard.finish(|observer| observer.on_trailers(trailers));
                } else if may_stop_reading(&*this.inner) {
                    this.guard.finish(CompletionObserver::on_complete);
                } else if let Some(observer) = this.guard.get_mut() {
                    observer.on_unread();
                }
            }
            Some(Err(error)) => this.guard.finish(|observer| observer.on_error(&**error)),
            None => this.guard.finish(CompletionObserver::on_complete),
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

impl<B: fmt::Debug, O: CompletionObserver> fmt::Debug for ObservedBody<B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResponseBody").field(&self.inner).finish()
    }
}
