use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::Response;
use pin_project_lite::pin_project;

use super::{ResponseBody, answer::Answer};
use crate::{BoxError, Failure};

pin_project! {
    /// Response future of [`ErrorResponse`](super::ErrorResponse).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        name: Arc<str>,
        with_body: bool,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F> {
        Call { #[pin] inner: F },
        Failed { failure: Failure },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(name: Arc<str>, with_body: bool, inner: F) -> Self {
        Self { state: State::Call { inner }, name, with_body }
    }

    pub(super) const fn failed(name: Arc<str>, with_body: bool, failure: Failure) -> Self {
        Self { state: State::Failed { failure }, name, with_body }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = match this.state.project() {
            StateProj::Call { inner } => match ready!(inner.poll(cx)) {
                Ok(response) => return Poll::Ready(Ok(response.map(ResponseBody::inner))),
                Err(error) => Answer::to(&*error.into()),
            },
            StateProj::Failed { failure } => Answer::new(*failure),
        };
        let response = answer.response(this.name, *this.with_body);
        Poll::Ready(Ok(response.map(ResponseBody::own)))
    }
}
