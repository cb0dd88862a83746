//! A layer that edits each request in place.

use std::task::{Context, Poll};

use futures_util::future::{Either, Ready, ready};
use seawall::BoxError;
use tower::{Layer, Service};

/// Passes each request to a function that edits it, and fails the call with the function's error.
///
/// `tower::filter` and `map_request` move each request several times instead.
#[derive(Clone, Copy, Debug)]
pub(super) struct EditRequestLayer<F>(F);

impl<F> EditRequestLayer<F> {
    /// Creates a layer for a function from `&mut R` to `Result<(), BoxError>`.
    pub(super) fn new<R>(edit: F) -> Self
    where
        F: Fn(&mut R) -> Result<(), BoxError>,
    {
        Self(edit)
    }
}

impl<S, F: Clone> Layer<S> for EditRequestLayer<F> {
    type Service = EditRequest<S, F>;

    fn layer(&self, inner: S) -> EditRequest<S, F> {
        EditRequest { inner, edit: self.0.clone() }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct EditRequest<S, F> {
    inner: S,
    edit: F,
}

impl<S, F, R> Service<R> for EditRequest<S, F>
where
    S: Service<R, Error = BoxError>,
    F: Fn(&mut R) -> Result<(), BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Either<S::Future, Ready<Result<S::Response, BoxError>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: R) -> Self::Future {
        match (self.edit)(&mut request) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(error) => Either::Right(ready(Err(error))),
        }
    }
}
