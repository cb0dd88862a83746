use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::Response;
use pin_project_lite::pin_project;

use super::{ResponseBody, answer::Answer, asked::Asked, proxy_status, settings::Settings};
use crate::BoxError;

pin_project! {
    /// Response future of [`ErrorResponse`](super::ErrorResponse).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        settings: Arc<Settings>,
        asked: Asked,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F> {
        Call { #[pin] inner: F },
        NotReady { answer: Box<Answer> },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(settings: Arc<Settings>, asked: Asked, inner: F) -> Self {
        Self { state: State::Call { inner }, settings, asked }
    }

    pub(super) const fn not_ready(
        settings: Arc<Settings>,
        asked: Asked,
        answer: Box<Answer>,
    ) -> Self {
        Self { state: State::NotReady { answer }, settings, asked }
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
        let settings = &**this.settings;
        let response = match this.state.project() {
            StateProj::Call { inner } => match ready!(inner.poll(cx)) {
                Ok(mut response) => {
                    let status = response.status();
                    if settings.appends_to(status) {
                        proxy_status::append(settings.name(), status, response.headers_mut());
                    }
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                Err(error) => Answer::to(&*error.into(), settings).response(settings, this.asked),
            },
            StateProj::NotReady { answer } => answer.response(settings, this.asked),
        };
        Poll::Ready(Ok(response.map(ResponseBody::own)))
    }
}
