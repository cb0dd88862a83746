//! A layer that sees what became of each call, around the client stack of an upstream.

use std::{
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes, HttpBody};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use seawall::{
    BoxError, Cause, Classify, Failure, HttpClassifier,
    bad_gateway::Evidence,
    circuit_breaker::CircuitOpen,
    classify::{classify_body_error, classify_error},
    find_source,
    retry::{RetriesExhausted, RetryReport},
};
use tower::{Layer, Service};

use crate::stats::{Failed, Outcome, Stats};

#[derive(Clone, Debug)]
pub(crate) struct WatchLayer(pub(crate) Arc<Stats>);

impl<S> Layer<S> for WatchLayer {
    type Service = Watch<S>;

    fn layer(&self, inner: S) -> Watch<S> {
        Watch { inner, stats: Arc::clone(&self.0) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Watch<S> {
    inner: S,
    stats: Arc<Stats>,
}

impl<S, R, B> Service<Request<R>> for Watch<S>
where
    S: Service<Request<R>, Response = Response<B>, Error = BoxError, Future: Send + 'static>,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send + 'static>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    // A call that its caller gives up is neither a success nor a failure.
    fn call(&mut self, request: Request<R>) -> Self::Future {
        let call = self.inner.call(request);
        let stats = Arc::clone(&self.stats);
        Box::pin(async move {
            match call.await {
                Ok(response) => {
                    let outcome = of_response(&response);
                    let response = response.map(Body::new);
                    if matches!(outcome, Outcome::Succeeded | Outcome::Mended(_)) {
                        let open = Some((outcome, stats));
                        return Ok(response.map(|body| Body::new(Watched::new(body, open))));
                    }
                    stats.count(outcome);
                    Ok(response)
                }
                Err(error) => {
                    stats.count(of_error(&error));
                    Err(error)
                }
            }
        })
    }
}

fn of_response<B>(response: &Response<B>) -> Outcome {
    let attempts = response.extensions().get::<RetryReport>();
    let count = attempts.map_or(NonZeroU32::MIN, RetryReport::count);
    let failed = |failure| {
        let note = response.extensions().get::<Evidence>().map(Evidence::summary);
        Failed { failure, note, attempts: count, stop: attempts.and_then(RetryReport::stop_reason) }
    };
    let failure = HttpClassifier::new().classify(Ok(response));
    // What is wrong with the request itself says nothing of the upstream.
    let failure =
        failure.filter(|failure| !matches!(failure.cause(), Cause::ClientError | Cause::Conflict));
    let earlier = attempts.and_then(|attempts| attempts.failed_attempts().last());
    match (failure, earlier) {
        (Some(failure), _) => Outcome::Failed(failed(failure)),
        (None, Some(past)) => Outcome::Mended(Failed { note: None, ..failed(*past.failure()) }),
        (None, None) => Outcome::Succeeded,
    }
}

fn of_error(error: &BoxError) -> Outcome {
    let gave_up = find_source::<RetriesExhausted>(&**error);
    let failure = match (find_source::<CircuitOpen>(&**error), gave_up) {
        (Some(_), None) => return Outcome::Refused,
        // An attempt failed, and by the next one the circuit was open, most likely by that very failure.
        (Some(open), Some(_)) => *open.opened_by().unwrap_or(&Failure::new(Cause::CircuitOpen)),
        (None, _) => classify_error(&**error),
    };
    let last = gave_up.and_then(RetriesExhausted::last_response);
    Outcome::Failed(Failed {
        failure,
        note: last.and_then(|last| last.extensions().get()).map(Evidence::summary),
        attempts: gave_up.map_or(NonZeroU32::MIN, RetriesExhausted::attempts),
        stop: gave_up.map(RetriesExhausted::reason),
    })
}

/// A body that counts as a success at its end, and as a failure when it breaks off.
#[derive(Debug)]
struct Watched {
    body: Body,
    /// To be counted.
    open: Option<(Outcome, Arc<Stats>)>,
}

impl Watched {
    fn new(body: Body, open: Option<(Outcome, Arc<Stats>)>) -> Self {
        let mut watched = Self { body, open };
        watched.look_for_end();
        watched
    }

    /// A server may not ask a body for more once it says that it is at its end.
    fn look_for_end(&mut self) {
        if self.body.is_end_stream() {
            self.end(None);
        }
    }

    fn end(&mut self, failure: Option<Failure>) {
        if let Some((outcome, stats)) = self.open.take() {
            stats.count(failure.map_or(outcome, |failure| {
                let attempts = match outcome {
                    Outcome::Mended(earlier) => earlier.attempts,
                    _ => NonZeroU32::MIN,
                };
                Outcome::Failed(Failed { failure, note: None, attempts, stop: None })
            }));
        }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(_)) => self.look_for_end(),
            Some(Err(error)) => self.end(Some(classify_body_error(error))),
            None => self.end(None),
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
