use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Response};
use pin_project_lite::pin_project;
use seawall_core::{
    BoxError,
    attempts::{RetryReport, StopReason},
};

use super::{
    ResponseBody, proxy_status,
    reply::ErrorReply,
    request_info::RequestInfo,
    response::{self, X_SHOULD_RETRY},
    settings::Settings,
};
use crate::headers;

pin_project! {
    /// The response future of [`ErrorResponse`](super::ErrorResponse).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        settings: Arc<Settings>,
        request: RequestInfo,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F> {
        Call { #[pin] inner: F },
        NotReady { reply: Box<ErrorReply> },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(settings: Arc<Settings>, request: RequestInfo, inner: F) -> Self {
        Self { state: State::Call { inner }, settings, request }
    }

    pub(super) const fn not_ready(
        settings: Arc<Settings>,
        request: RequestInfo,
        reply: Box<ErrorReply>,
    ) -> Self {
        Self { state: State::NotReady { reply }, settings, request }
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
        let (settings, request) = (&*this.settings, &*this.request);
        let build = |reply: &ErrorReply| {
            response::build(reply, settings, request).map(ResponseBody::replacement)
        };
        let response = match this.state.project() {
            StateProj::Call { inner } => match ready!(inner.poll(cx)) {
                Ok(mut response) => {
                    if response.status().as_u16() >= 400 {
                        add_headers(&mut response, settings);
                    }
                    response.map(ResponseBody::inner)
                }
                Err(error) => build(&ErrorReply::new(&*error.into(), settings)),
            },
            StateProj::NotReady { reply } => build(reply),
        };
        Poll::Ready(Ok(response))
    }
}

/// Adds headers to a failed response of the inner service.
fn add_headers<B>(response: &mut Response<B>, settings: &Settings) {
    let status = response.status();
    if settings.should_append_to(status) {
        proxy_status::append(settings.name(), status, response.headers_mut());
    }
    if is_exhausted(response) {
        let value = HeaderValue::from_static("false");
        headers::insert(response.headers_mut(), &X_SHOULD_RETRY, value);
    }
}

/// Returns whether retries were exhausted before a failed response was returned.
fn is_exhausted<B>(response: &Response<B>) -> bool {
    response.extensions().get::<RetryReport>().is_some_and(|report| {
        match report.stop_reason() {
            // The budget is shared, so it may be exhausted although this call was never retried.
            Some(StopReason::BudgetExhausted) => true,
            reason => reason.is_some() && report.attempts().get() > 1,
        }
    })
}
