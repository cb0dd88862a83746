//! Keeps the last response of the upstream for a call whose retry meets an open circuit.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes, HttpBody};
use http::Response;
use http_body::{Frame, SizeHint};
use seawall::{
    BoxError,
    circuit_breaker::CircuitOpen,
    classify::{Classify, HttpClassifier},
    find_source,
    retry::RetriesExhausted,
};

use super::rejection::Rejection;

/// The maximum number of bytes of a response that are kept. The retry layer reads no more.
const MAX_BYTES: usize = 16 * 1024;

/// Records the body of a failed response while the retry layer reads it.
pub(super) fn record(mut response: Response<Body>) -> Response<Body> {
    let is_failure = response.status().is_client_error() || response.status().is_server_error();
    if !is_failure {
        return response;
    }
    let recording = Recording::default();
    response.extensions_mut().insert(recording.clone());
    response.map(|body| Body::new(RecordedBody { body, recording }))
}

/// Replaces the error of a call whose retry was rejected by the last response of the upstream.
///
/// Otherwise the caller would see the open circuit and not its cause.
pub(super) fn restore(
    outcome: Result<Response<Body>, BoxError>,
) -> Result<Response<Body>, BoxError> {
    outcome.or_else(|error| last_response(&error).ok_or(error))
}

fn last_response(error: &BoxError) -> Option<Response<Body>> {
    let is_rejected = find_source::<Rejection>(&**error).is_some()
        || find_source::<CircuitOpen>(&**error).is_some();
    let exhausted = find_source::<RetriesExhausted>(&**error).filter(|_| is_rejected)?;
    let head = exhausted.last_response()?;
    let failure = HttpClassifier::new().classify(Ok(head))?;
    let body = head.extensions().get::<Recording>()?.complete()?;
    let mut response = head.clone().map(|()| Body::from(body));
    response.extensions_mut().remove::<Recording>();
    response.extensions_mut().insert(exhausted.to_report(failure));
    Some(response)
}

/// The recorded body of a response.
///
/// # Clone
///
/// Clones share the bytes.
#[derive(Clone, Debug, Default)]
struct Recording(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Empty,
    Partial(Vec<u8>),
    Complete(Bytes),
    /// The body is too long, has trailers, or was interrupted.
    Unusable,
}

impl Recording {
    fn complete(&self) -> Option<Bytes> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Complete(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }

    fn update(&self, change: impl FnOnce(State) -> State) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = change(std::mem::take(&mut *state));
    }
}

impl State {
    fn push(self, frame: &Frame<Bytes>) -> Self {
        let Some(data) = frame.data_ref() else { return Self::Unusable };
        let mut bytes = match self {
            Self::Empty => Vec::with_capacity(data.len()),
            Self::Partial(bytes) => bytes,
            Self::Complete(_) | Self::Unusable => return Self::Unusable,
        };
        if bytes.len().saturating_add(data.len()) > MAX_BYTES {
            return Self::Unusable;
        }
        bytes.extend_from_slice(data);
        Self::Partial(bytes)
    }

    fn end(self) -> Self {
        match self {
            Self::Empty => Self::Complete(Bytes::new()),
            Self::Partial(bytes) => Self::Complete(bytes.into()),
            state @ (Self::Complete(_) | Self::Unusable) => state,
        }
    }
}

/// A body that copies its bytes to a recording.
#[derive(Debug)]
struct RecordedBody {
    body: Body,
    recording: Recording,
}

impl HttpBody for RecordedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.recording.update(|state| match &frame {
            Some(Ok(frame)) => state.push(frame),
            Some(Err(_)) => State::Unusable,
            None => state.end(),
        });
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
