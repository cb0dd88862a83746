use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use ::tonic::{Code, Status};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use seawall_core::{BoxError, classify::classify_error, find_source, internal::grpc_code};
use tower_layer::Layer;
use tower_service::Service;

use crate::redact::{Redaction, redact_text};

/// A layer that turns each error into a [`Status`], with the code that describes its cause.
///
/// Add it around the layers of a client. Without it, tonic knows only its own errors, and those of
/// hyper and h2. It gives `UNKNOWN` to any other, such as a timeout.
///
/// | error | code |
/// |---|---|
/// | has a [`Status`] among its sources | that of the status |
/// | a timeout, or a deadline that passed | `DEADLINE_EXCEEDED` |
/// | an open circuit, or an upstream that cannot be reached | `UNAVAILABLE` |
/// | the limit of calls in flight | `RESOURCE_EXHAUSTED` |
/// | any other error | by its [`Cause`](crate::Cause), as in `seawall::error_response` |
///
/// The error is the source of the status, so [`find_source`] finds the errors inside. An error of a
/// response body becomes a status in the same way.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until it wraps a service"]
#[non_exhaustive]
pub struct StatusLayer {}

impl StatusLayer {
    /// Creates a layer without settings.
    pub const fn new() -> Self {
        Self {}
    }
}

impl<S> Layer<S> for StatusLayer {
    type Service = StatusService<S>;

    fn layer(&self, inner: S) -> StatusService<S> {
        StatusService { inner }
    }
}

/// A service whose errors are a [`Status`]. Created by [`StatusLayer`].
#[derive(Clone, Debug)]
pub struct StatusService<S> {
    inner: S,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for StatusService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = Status;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.inner.poll_ready(cx).map_err(|error| to_status(error.into()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        ResponseFuture { inner: self.inner.call(request) }
    }
}

pin_project! {
    /// The response future of [`StatusService`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<B>>, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(self.project().inner.poll(cx)) {
            Ok(response) => Ok(response.map(|inner| ResponseBody { inner })),
            Err(error) => Err(to_status(error.into())),
        })
    }
}

pin_project! {
    /// The response body of [`StatusService`]. Its errors are a [`Status`].
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Status>>> {
        let polled = self.project().inner.poll_frame(cx);
        polled.map(|frame| frame.map(|frame| frame.map_err(|error| to_status(error.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn to_status(error: BoxError) -> Status {
    let error = match error.downcast::<Status>() {
        Ok(status) => return *status,
        Err(error) => error,
    };
    let mut status = if let Some(found) = find_source::<Status>(&*error) {
        Status::with_details_and_metadata(
            found.code(),
            found.message(),
            Bytes::copy_from_slice(found.details()),
            found.metadata().clone(),
        )
    } else {
        // A server may pass the status on to its own caller.
        let message = redact_text(&error, &Redaction::built_in());
        Status::new(code_of(&*error), message)
    };
    status.set_source(Arc::from(error));
    status
}

fn code_of(error: &(dyn Error + 'static)) -> Code {
    Code::from_i32(grpc_code(classify_error(error).cause()).into())
}
