use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

#[cfg(feature = "retry")]
use http::HeaderValue;
use http::Response;
use pin_project_lite::pin_project;

#[cfg(feature = "retry")]
use super::answer::X_SHOULD_RETRY;
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
    #[inline]
    pub(super) const fn new(settings: Arc<Settings>, asked: Asked, inner: F) -> Self {
        Self { state: State::Call { inner }, settings, asked }
    }

    #[inline]
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

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (settings, asked) = (&*this.settings, &*this.asked);
        let response = match this.state.project() {
            StateProj::Call { inner } => match ready!(inner.poll(cx)) {
                Ok(response) if response.status().as_u16() < 400 => {
                    response.map(ResponseBody::inner)
                }
                Ok(response) => failed(response, settings).map(ResponseBody::inner),
                Err(error) => answered(error, settings, asked),
            },
            StateProj::NotReady { answer } => {
                answer.response(settings, asked).map(ResponseBody::own)
            }
        };
        Poll::Ready(Ok(response))
    }
}

#[cold]
fn answered<B, E: Into<BoxError>>(
    error: E,
    settings: &Arc<Settings>,
    asked: &Asked,
) -> Response<ResponseBody<B>> {
    Answer::to(&*error.into(), settings).response(settings, asked).map(ResponseBody::own)
}

/// A failed response that passes. Apart, and given all of it, so that one that is good is moved once.
#[cold]
fn failed<B>(mut response: Response<B>, settings: &Arc<Settings>) -> Response<B> {
    let status = response.status();
    if settings.appends_to(status) {
        proxy_status::append(settings.name(), status, response.headers_mut());
    }
    #[cfg(feature = "retry")]
    if is_given_up(&response) {
        let no = HeaderValue::from_static("false");
        response.headers_mut().insert(X_SHOULD_RETRY.clone(), no);
    }
    response
}

/// Whether it is a failure that was tried as often as it should be.
#[cfg(feature = "retry")]
fn is_given_up<B>(response: &Response<B>) -> bool {
    use crate::attempts::{Attempts, Stop};

    let attempts = || response.extensions().get::<Attempts>();
    response.status().as_u16() >= 400
        && attempts().is_some_and(|attempts| match attempts.stop() {
            // All callers together have retried enough, if not this one.
            Some(Stop::BudgetSpent) => true,
            stop => stop.is_some() && attempts.count().get() > 1,
        })
}
