use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::{
    ResponseBody,
    record::{Head, Record},
};
use crate::{Cause, Classify, Failure, Reporter, error::as_dyn};

pin_project! {
    /// Response future of [`Logging`](super::Logging).
    #[derive(Debug)]
    pub struct ResponseFuture<F, C> {
        // `None` once resolved, so that it is dropped before the line is written.
        #[pin]
        pub(super) inner: Option<F>,
        pub(super) record: Option<Record>,
        pub(super) classifier: C,
    }
}

impl<F, C, B, E> Future for ResponseFuture<F, C>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: fmt::Display + 'static,
    C: Classify<Response<B>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let result = {
            let _entered = this.record.as_ref().map(|record| record.span.enter());
            let inner = this.inner.as_mut().as_pin_mut();
            ready!(inner.expect("polled after completion").poll(cx))
        };
        this.inner.set(None);
        let record = this.record.take();
        match result {
            Ok(response) => {
                let record = record.map(|mut record| {
                    record.head(Head {
                        status: response.status(),
                        failure: this.classifier.classify(Ok(&response)),
                        attempts: attempts_of(&response),
                    });
                    record
                });
                Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, record))))
            }
            Err(error) => {
                if let Some(record) = record {
                    let known = as_dyn(&error);
                    // What is not a failure to the classifier has still failed.
                    let failure = known.and_then(|known| this.classifier.classify(Err(known)));
                    let failure = failure.unwrap_or(UNKNOWN);
                    record.error(failure, known.and_then(attempts_in), known, &error);
                }
                Poll::Ready(Err(error))
            }
        }
    }
}

const UNKNOWN: Failure = Failure::new(Cause::Unknown).with_reporter(Reporter::Local);

#[cfg(feature = "retry")]
fn attempts_of<B>(response: &Response<B>) -> Option<u32> {
    response.extensions().get::<crate::attempts::Attempts>().map(|it| it.count().get())
}

#[cfg(feature = "retry")]
fn attempts_in(error: &(dyn Error + 'static)) -> Option<u32> {
    crate::find_source::<crate::attempts::GaveUp>(error).map(|it| it.attempts().get())
}

#[cfg(not(feature = "retry"))]
fn attempts_of<B>(_response: &Response<B>) -> Option<u32> {
    None
}

#[cfg(not(feature = "retry"))]
fn attempts_in(_error: &(dyn Error + 'static)) -> Option<u32> {
    None
}
