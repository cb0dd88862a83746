//! Observes how a call ends: with the response of its service, or with the body of that response.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::BoxError;

/// Observes how a call ends. If the caller drops the call, the observer is dropped without a call to its methods.
pub trait Watch: Sized {
    /// The inner service or the body panicked. Called while the thread is panicking: a second panic aborts the process.
    fn panicked(&mut self) {}
    /// The call ended well.
    fn complete(&mut self);
    /// The body failed.
    fn fail(&mut self, error: &(dyn Error + 'static));
}

/// Holds the observer of a call, if the call has one, and learns of panics.
///
/// It is entered before the inner service or body runs, and left when that returns. One that is dropped in between reports a
/// panic. So a panic of other user code, such as a classifier, is not taken for one of the inner service.
#[derive(Debug)]
pub(crate) struct Observer<W: Watch> {
    watch: Option<W>,
    is_entered: bool,
}

impl<W: Watch> Observer<W> {
    #[inline]
    pub(crate) const fn new(watch: Option<W>) -> Self {
        Self { watch, is_entered: false }
    }

    #[inline]
    pub(crate) const fn enter(&mut self) {
        self.is_entered = true;
    }

    #[inline]
    pub(crate) const fn leave(&mut self) {
        self.is_entered = false;
    }

    pub(crate) const fn get_mut(&mut self) -> Option<&mut W> {
        self.watch.as_mut()
    }

    pub(crate) fn finish(&mut self, end: impl FnOnce(&mut W)) {
        if let Some(watch) = &mut self.watch {
            end(watch);
            self.watch = None;
        }
    }

    #[inline]
    pub(crate) const fn take(&mut self) -> Option<W> {
        self.watch.take()
    }
}

impl<W: Watch> Drop for Observer<W> {
    #[inline]
    fn drop(&mut self) {
        if self.is_entered
            && let Some(watch) = &mut self.watch
        {
            watch.panicked();
        }
    }
}

/// How far a call reaches.
#[diagnostic::on_unimplemented(
    message = "a response of type `{Res}` has no body whose end could be waited for",
    note = "calls end with the body of an `http::Response<_>`; for other responses, leave out `.whole_body()` of \
            `CircuitBreakerLayer`, and tell `InFlightLimitLayer` `.until_response()`"
)]
pub trait Extent<Res> {
    type Response<W: Watch>;

    /// Returns whether the head of the response shows that the upstream is overloaded or failing.
    fn is_failed(_response: &Res) -> bool {
        false
    }

    fn attach<W: Watch>(response: Res, observer: &mut Observer<W>) -> Self::Response<W>;
}

/// A call ends with the response of its service.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Head {}

/// A call ends with the body of its HTTP response.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct WholeBody {}

impl<Res> Extent<Res> for Head {
    type Response<W: Watch> = Res;

    fn attach<W: Watch>(response: Res, observer: &mut Observer<W>) -> Res {
        observer.finish(Watch::complete);
        response
    }
}

impl<B> Extent<Response<B>> for WholeBody
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Response<W: Watch> = Response<Watched<B, W>>;

    fn is_failed(response: &Response<B>) -> bool {
        let status = response.status();
        status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
    }

    fn attach<W: Watch>(response: Response<B>, observer: &mut Observer<W>) -> Response<Watched<B, W>> {
        let watch = observer.take();
        response.map(|inner| Watched::new(inner, watch))
    }
}

pin_project! {
    /// A response body that is handed on as it is, and watched to its end.
    pub struct Watched<B, W: Watch> {
        #[pin]
        inner: B,
        // Without a watch once the body has ended.
        observer: Observer<W>,
    }
}

/// Returns whether a reader may stop without polling for the end. hyper's server stops if either method says so.
pub(crate) fn is_at_end(body: &impl Body) -> bool {
    body.is_end_stream() || body.size_hint().upper() == Some(0)
}

impl<B: Body, W: Watch> Watched<B, W> {
    fn new(inner: B, watch: Option<W>) -> Self {
        // Nobody polls such a body. Only `is_end_stream` is checked here: a size of zero without it is rare.
        let mut observer = Observer::new(watch);
        if inner.is_end_stream() {
            observer.finish(Watch::complete);
        }
        Self { inner, observer }
    }
}

impl<B, W> Body for Watched<B, W>
where
    B: Body,
    B::Error: Into<BoxError>,
    W: Watch,
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
        let is_last = match &frame {
            Some(Ok(frame)) => frame.is_trailers() || is_at_end(&*this.inner),
            Some(Err(_)) | None => true,
        };
        if is_last {
            this.observer.finish(|watch| match &frame {
                Some(Err(error)) => watch.fail(&**error),
                Some(Ok(_)) | None => watch.complete(),
            });
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

impl<B: fmt::Debug, W: Watch> fmt::Debug for Watched<B, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResponseBody").field(&self.inner).finish()
    }
}
