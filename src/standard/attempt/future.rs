use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::{AttemptBody, answer::Answer, service::Settings};
use crate::{
    BoxError, Classify,
    attempts::hint_if_around_retry,
    body::{Watch, Working},
    circuit_breaker::Permit,
    in_flight::Place,
    poll_into::PollInto,
};

pin_project! {
    /// Response future of one attempt.
    pub struct ResponseFuture<F, C, B: Body> {
        #[pin]
        answer: Answer<F, B>,
        permit: Permit,
        classifier: C,
    }
}

impl<F, C, B: Body> ResponseFuture<F, C, B> {
    #[inline]
    pub(in crate::standard) const fn new(
        inner: F,
        permit: Permit,
        place: Option<Place>,
        classifier: C,
        settings: Arc<Settings>,
    ) -> Self {
        Self { answer: Answer::new(inner, place, settings), permit, classifier }
    }

    /// `permit`: of the circuit, if that did not refuse it.
    #[inline]
    pub(in crate::standard) const fn refused(
        error: BoxError,
        permit: Permit,
        classifier: C,
        settings: Arc<Settings>,
    ) -> Self {
        Self { answer: Answer::refused(error, settings), permit, classifier }
    }
}

impl<F, C, B, E> PollInto for ResponseFuture<F, C, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    C: Classify<Response<AttemptBody<B>>>,
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<AttemptBody<B>>, BoxError>;

    #[inline]
    fn poll_into(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        polled: &mut Poll<Result<Response<AttemptBody<B>>, BoxError>>,
    ) {
        let this = self.project();
        let working = Working::on(this.permit);
        this.answer.poll_into(cx, polled);
        working.done();
        let Poll::Ready(outcome) = polled else { return };
        let permit = mem::take(this.permit);
        match outcome {
            Ok(response) => match this.classifier.classify(Ok(response)) {
                None => permit.complete(),
                Some(failure) => permit.judge(failure).complete(),
            },
            Err(error) => {
                hint_if_around_retry(&**error);
                permit.failed(this.classifier.classify(Err(&**error)));
            }
        }
    }

    #[inline]
    fn wakes_by(&self) -> Option<Instant> {
        self.answer.wakes_by()
    }
}

impl<F, C, B, E> Future for ResponseFuture<F, C, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    C: Classify<Response<AttemptBody<B>>>,
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<AttemptBody<B>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut polled = Poll::Pending;
        self.poll_into(cx, &mut polled);
        polled
    }
}

impl<F, C, B: Body> fmt::Debug for ResponseFuture<F, C, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
