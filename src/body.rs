//! A response body that is watched to its end, and how far a call reaches: to the head of its response, or to the end of
//! the body.

use std::{
    error::Error,
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::error::BoxError;

/// Who wants to know how a call ended. Dropped if it ended early.
///
/// It is told by value: a reference into a future that goes out of line keeps the compiler from taking that future apart, and
/// then it is copied whole wherever it is moved.
pub trait Watch: Sized {
    /// The inner service, or the body, has panicked.
    fn panicked(self) {}
    /// It ended well.
    fn complete(self);
    /// The body broke off.
    fn fail(self, error: &(dyn Error + 'static));
}

/// `None` once it is told, or if nobody wants to know.
impl<W: Watch> Watch for Option<W> {
    #[inline]
    fn panicked(self) {
        if let Some(watch) = self {
            watch.panicked();
        }
    }

    #[inline]
    fn complete(self) {
        if let Some(watch) = self {
            watch.complete();
        }
    }

    fn fail(self, error: &(dyn Error + 'static)) {
        if let Some(watch) = self {
            watch.fail(error);
        }
    }
}

/// Does what may panic, and tells `watch` if it does. If it does not, this costs nothing.
#[inline]
pub(crate) fn watching<W: Watch + Default, T>(watch: &mut W, work: impl FnOnce() -> T) -> T {
    let working = Working::on(watch);
    let done = work();
    working.done();
    done
}

/// As [`watching`], for work that takes what is large: a closure would be given a copy.
pub(crate) struct Working<'a, W: Watch + Default>(&'a mut W);

impl<'a, W: Watch + Default> Working<'a, W> {
    #[inline]
    pub(crate) const fn on(watch: &'a mut W) -> Self {
        Self(watch)
    }

    #[inline]
    pub(crate) fn done(self) {
        mem::forget(self);
    }
}

impl<W: Watch + Default> Drop for Working<'_, W> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, it would be given a reference")]
    fn drop(&mut self) {
        mem::take(self.0).panicked();
    }
}

/// Drops it elsewhere.
#[cold]
#[inline(never)]
pub(crate) fn let_go<T>(it: T) {
    drop(it);
}

/// How far a call reaches.
#[diagnostic::on_unimplemented(
    message = "a response of type `{Res}` has no body whose end could be waited for",
    note = "calls end with the body of an `http::Response<_>`; for other responses, leave out `.whole_body()` of \
            `CircuitBreakerLayer`, and tell `InFlightLimitLayer` `.until_response()`"
)]
pub trait Extent<Res> {
    type Response<W>;

    /// Whether the head says that the upstream did not do its work, as far as it says anything.
    fn is_failed(_response: &Res) -> bool {
        false
    }

    /// The response is there: completes `watch` if the call ends here, and gives it back if not.
    fn at_head<W: Watch>(watch: W) -> Option<W>;

    /// Takes along what the former gave back. Apart from it, so that nothing stands between two moves of a response, which
    /// are one then.
    fn attach<W: Watch>(response: Res, watch: Option<W>) -> Self::Response<W>;
}

/// Whether it says that the upstream did not do its work.
pub(crate) fn is_failed(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
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
    type Response<W> = Res;

    #[inline]
    fn at_head<W: Watch>(watch: W) -> Option<W> {
        watch.complete();
        None
    }

    #[inline]
    fn attach<W: Watch>(response: Res, _watch: Option<W>) -> Res {
        response
    }
}

impl<B> Extent<Response<B>> for WholeBody
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Response<W> = Response<Watched<B, W>>;

    #[inline]
    fn is_failed(response: &Response<B>) -> bool {
        is_failed(response.status())
    }

    #[inline]
    fn at_head<W: Watch>(watch: W) -> Option<W> {
        Some(watch)
    }

    #[inline]
    fn attach<W: Watch>(response: Response<B>, watch: Option<W>) -> Response<Watched<B, W>> {
        response.map(|inner| Watched::new(inner, watch))
    }
}

pin_project! {
    /// A response body that is handed on as it is, and watched to its end.
    pub struct Watched<B, W> {
        #[pin]
        inner: B,
        // `None` once it has ended, or if nobody watches.
        watch: Option<W>,
    }
}

/// Whether a reader may stop here without asking for the end: hyper's server does where either says so.
#[inline]
pub(crate) fn is_at_end(body: &impl Body) -> bool {
    body.is_end_stream() || body.size_hint().upper() == Some(0)
}

impl<B: Body, W: Watch> Watched<B, W> {
    #[inline]
    pub(crate) fn new(inner: B, mut watch: Option<W>) -> Self {
        // Not by its size, which costs each call 30 instructions here: one that is empty and does not say so is rare, and what
        // does not count is a call that brought nothing.
        if inner.is_end_stream() {
            watch.take().complete();
        }
        Self { inner, watch }
    }
}

impl<B, W> Watched<B, W>
where
    B: Body,
    B::Error: Into<BoxError>,
    W: Watch,
{
    /// Apart, so that a body that nobody watches is polled as if it were bare.
    #[inline(never)]
    fn poll_watched(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let mut this = self.project();
        let polled =
            watching(this.watch, || this.inner.as_mut().poll_frame(cx).map_err(Into::into));
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                if frame.is_trailers() || is_at_end(&*this.inner) {
                    this.watch.take().complete();
                }
            }
            Poll::Ready(Some(Err(error))) => this.watch.take().fail(&**error),
            Poll::Ready(None) => this.watch.take().complete(),
        }
        polled
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

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a frame is large to hand on")]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        if self.watch.is_none() {
            return self.project().inner.poll_frame(cx).map_err(Into::into);
        }
        self.poll_watched(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: fmt::Debug, W> fmt::Debug for Watched<B, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResponseBody").field(&self.inner).finish()
    }
}
