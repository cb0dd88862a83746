//! The response of the upstream for a call that failed: to the last attempt that reached it, or the
//! error in a response with the status 200.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes, HttpBody};
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body::{Frame, SizeHint};
use seawall::{
    BoxError,
    classify::{Classify, HttpClassifier},
    commit::FailedBeforeCommit,
    find_source,
    retry::RetriesExhausted,
};
use serde::de::IgnoredAny;

use super::rejection::is_rejected;

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

/// Replaces an error by the upstream's own, if the call failed because of an error that a response
/// reported, or if its retry was rejected.
///
/// Otherwise the caller would see the open circuit and not its cause.
pub(super) fn restore(
    outcome: Result<Response<Body>, BoxError>,
) -> Result<Response<Body>, BoxError> {
    outcome.or_else(|error| reported_error(&error).or_else(|| last_response(&error)).ok_or(error))
}

/// Returns the error that a response with the status 200 reported, with its own status.
fn reported_error(error: &BoxError) -> Option<Response<Body>> {
    let failed = find_source::<FailedBeforeCommit>(&**error)?;
    let failure = *failed.failure();
    let error_text = failed.reported_error()?;
    let mut response = Response::new(Body::from(error_text.to_owned()));
    *response.status_mut() = failure.status().unwrap_or(StatusCode::BAD_GATEWAY);
    // The data of an event with the name `error` may be any text.
    let is_json = serde_json::from_str::<IgnoredAny>(error_text).is_ok();
    let media_type = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.extensions_mut().insert(failure);
    if let Some(exhausted) = find_source::<RetriesExhausted>(&**error) {
        response.extensions_mut().insert(exhausted.to_report(failure));
    }
    Some(response)
}

fn last_response(error: &BoxError) -> Option<Response<Body>> {
    let exhausted = find_source::<RetriesExhausted>(&**error).filter(|_| is_rejected(error))?;
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
