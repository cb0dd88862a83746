//! A layer that records the outcome of each call to an upstream.

use std::{
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::{Bytes, HttpBody};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use seawall::{
    Blame, BoxError, Cause, Failure,
    bad_gateway::Evidence,
    classify::{Classify, HttpClassifier, classify_body_error, classify_error},
    find_source,
    retry::{RetriesExhausted, RetryReport},
};
use tokio::time::Instant;
use tower::{Layer, Service};

use crate::{
    call_stats::{CallStats, FailedCall, Outcome},
    engine::is_rejected,
};

/// Records the outcome of each call in the statistics, if there are any.
#[derive(Clone, Debug)]
pub(crate) struct ObserveLayer(pub(crate) Option<Arc<CallStats>>);

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { inner, stats: self.0.clone() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Observe<S> {
    inner: S,
    stats: Option<Arc<CallStats>>,
}

impl<S, R, B> Service<Request<R>> for Observe<S>
where
    S: Service<Request<R>, Response = Response<B>, Error = BoxError>,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Response = Response<ObservedBody<B>>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    // Neither a cancelled call nor a failure of the caller, such as a broken upload, is recorded.
    fn call(&mut self, request: Request<R>) -> Self::Future {
        let stats = self.stats.clone().map(|stats| (stats, Instant::now()));
        ResponseFuture { inner: self.inner.call(request), stats }
    }
}

pin_project! {
    /// A call whose outcome is recorded.
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        inner: F,
        // The statistics and the start of the call.
        stats: Option<(Arc<CallStats>, Instant)>,
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, BoxError>>,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Output = Result<Response<ObservedBody<B>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let Some((stats, started)) = this.stats.take() else {
            return Poll::Ready(result.map(|response| response.map(ObservedBody::unobserved)));
        };
        stats.record_latency(started.elapsed());
        Poll::Ready(match result {
            Ok(response) => {
                let outcome = response_outcome(&response);
                if matches!(outcome, Outcome::Succeeded | Outcome::Recovered(_)) {
                    Ok(response.map(|body| ObservedBody::new(body, outcome, stats)))
                } else {
                    stats.record(outcome);
                    Ok(response.map(ObservedBody::unobserved))
                }
            }
            Err(error) => {
                if let Some(outcome) = error_outcome(&error) {
                    stats.record(outcome);
                }
                Err(error)
            }
        })
    }
}

fn response_outcome<B>(response: &Response<B>) -> Outcome {
    let report = response.extensions().get::<RetryReport>();
    let attempts = report.map_or(NonZeroU32::MIN, RetryReport::attempts);
    let failed_call = |failure| {
        let evidence = response.extensions().get::<Evidence>().map(Evidence::summary);
        FailedCall {
            failure,
            evidence,
            attempts,
            stop_reason: report.and_then(RetryReport::stop_reason),
        }
    };
    let failure = HttpClassifier::new().classify(Ok(response));
    // A client error is not a failure of the upstream.
    let failure =
        failure.filter(|failure| !matches!(failure.cause(), Cause::ClientError | Cause::Conflict));
    let last_failed_attempt = report.and_then(|report| report.failed_attempts().last());
    match (failure, last_failed_attempt) {
        (Some(failure), _) => Outcome::Failed(failed_call(failure)),
        (None, Some(attempt)) => {
            Outcome::Recovered(FailedCall { evidence: None, ..failed_call(*attempt.failure()) })
        }
        (None, None) => Outcome::Succeeded,
    }
}

/// Returns the outcome of a call without a response, unless its caller is to blame.
fn error_outcome(error: &BoxError) -> Option<Outcome> {
    let exhausted = find_source::<RetriesExhausted>(&**error);
    let is_rejected = is_rejected(error);
    let last_failed_attempt = exhausted.and_then(|it| it.failed_attempts().last());
    let failure = match last_failed_attempt {
        None if is_rejected => return Some(Outcome::Rejected),
        // The circuit opened between two attempts, so the cause is that of the earlier one.
        Some(attempt) if is_rejected => *attempt.failure(),
        _ => classify_error(&**error),
    };
    if failure.blame() == Blame::Caller {
        return None;
    }
    let last_response = exhausted.and_then(RetriesExhausted::last_response);
    Some(Outcome::Failed(FailedCall {
        failure,
        evidence: last_response
            .and_then(|response| response.extensions().get())
            .map(Evidence::summary),
        attempts: exhausted.map_or(NonZeroU32::MIN, RetriesExhausted::attempts),
        stop_reason: exhausted.map(RetriesExhausted::stop_reason),
    }))
}

/// A body that records the outcome of the call at its end, or a failure if it is interrupted.
#[derive(Debug)]
pub(crate) struct ObservedBody<B> {
    body: B,
    /// The outcome to record, until it is recorded.
    outcome: Option<(Outcome, Arc<CallStats>)>,
}

impl<B> ObservedBody<B> {
    const fn unobserved(body: B) -> Self {
        Self { body, outcome: None }
    }
}

impl<B: HttpBody> ObservedBody<B> {
    fn new(body: B, outcome: Outcome, stats: Arc<CallStats>) -> Self {
        let mut observed = Self { body, outcome: Some((outcome, stats)) };
        observed.record_if_ended();
        observed
    }

    /// Records the outcome at `is_end_stream`, because a server need not poll the body after that.
    fn record_if_ended(&mut self) {
        if self.body.is_end_stream() {
            self.record(None);
        }
    }

    fn record(&mut self, failure: Option<Failure>) {
        if let Some((outcome, stats)) = self.outcome.take() {
            stats.record(failure.map_or(outcome, |failure| {
                let attempts = match outcome {
                    Outcome::Recovered(failed) => failed.attempts,
                    _ => NonZeroU32::MIN,
                };
                Outcome::Failed(FailedCall { failure, evidence: None, attempts, stop_reason: None })
            }));
        }
    }
}

impl<B> HttpBody for ObservedBody<B>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let frame = frame.map(|frame| frame.map_err(Into::into));
        match &frame {
            Some(Ok(_)) => self.record_if_ended(),
            Some(Err(error)) => self.record(Some(classify_body_error(&**error))),
            None => self.record(None),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
