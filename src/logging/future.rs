use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use seawall_core::classify::Classify;

use super::{ResponseBody, errors::AsStdError, guard::RecordGuard};

pin_project! {
    /// The response future of [`Logging`](super::Logging).
    #[derive(Debug)]
    pub struct ResponseFuture<F, C, V> {
        // Declared first, so that it is dropped before the record is emitted.
        #[pin]
        pub(super) inner: F,
        pub(super) guard: RecordGuard,
        pub(super) classifier: C,
        pub(super) error_view: V,
    }
}

impl<F, C, V, B, E> Future for ResponseFuture<F, C, V>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: fmt::Display,
    C: Classify<Response<B>>,
    V: AsStdError<E>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.guard.is_disabled() {
            let result = ready!(this.inner.poll(cx));
            return Poll::Ready(result.map(|response| response.map(ResponseBody::unobserved)));
        }
        let result = ready!(this.guard.in_span(|| this.inner.poll(cx)));
        match &result {
            Ok(response) => this.guard.on_response(response, this.classifier),
            Err(error) => this.guard.on_error(error, this.classifier, this.error_view),
        }
        Poll::Ready(result.map(|response| {
            let (head, body) = response.into_parts();
            Response::from_parts(head, ResponseBody::new(body, mem::take(this.guard)))
        }))
    }
}
