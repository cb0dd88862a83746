use std::{any::type_name, fmt, sync::Arc, time::Duration};

use bytes::Buf;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, request::Parts};
use http_body::Body;

use super::{
    Attempt, Attempts, Override, ReplayBody,
    drain::Drain,
    policy::Policy,
    protocol::{
        About,
        sealed::{Requests, Responses},
    },
    replay::Replay,
};
use crate::{classify::of_response, failure::Failure, time_limit::Deadline};

/// Retries HTTP requests, keeping their bodies while they are sent: see [`ReplayBody`].
///
/// `F` is how the body is handed to the inner service: [`AsIs`], or by a function
/// ([`RetryLayer::send_as`](super::RetryLayer::send_as)).
#[derive(Clone, Copy, Debug, Default)]
pub struct Http<F = AsIs> {
    pub(super) convert: F,
}

/// The inner service receives [`ReplayBody`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct AsIs {}

/// The inner service receives what a function makes of [`ReplayBody`].
#[derive(Clone, Copy)]
pub struct SendAs<F>(pub(super) F);

impl<F> fmt::Debug for SendAs<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendAs").field(&format_args!("{}", type_name::<F>())).finish()
    }
}

/// How a body is handed on.
pub trait Convert<B> {
    type Body;

    fn convert(&self, body: ReplayBody<B>) -> Self::Body;
}

impl<B> Convert<B> for AsIs {
    type Body = ReplayBody<B>;

    fn convert(&self, body: ReplayBody<B>) -> ReplayBody<B> {
        body
    }
}

impl<B, B2, F> Convert<B> for SendAs<F>
where
    F: Fn(ReplayBody<B>) -> B2,
{
    type Body = B2;

    fn convert(&self, body: ReplayBody<B>) -> B2 {
        (self.0)(body)
    }
}

impl<B, F> Requests<Request<B>> for Http<F>
where
    B: Body,
    F: Convert<B>,
{
    type Request = Request<F::Body>;
    type Saved = Parts;
    type Body = Replay<B>;
    type Again = ReplayBody<B>;

    fn uri<'a>(&self, request: &'a Request<B>) -> Option<&'a Uri> {
        Some(request.uri())
    }

    fn policy(&self, request: &Request<B>) -> Option<Arc<Policy>> {
        Override::of(request.extensions())
    }

    fn deadline(&self, request: &Request<B>) -> Option<Deadline> {
        request.extensions().get().copied()
    }

    fn save(&self, request: Request<B>, body_limit: usize) -> (Self::Request, Parts, Replay<B>) {
        let (parts, body) = request.into_parts();
        let saved = parts.clone();
        let (body, replay) = ReplayBody::new(body, body_limit);
        (Request::from_parts(parts, self.convert.convert(body)), saved, replay)
    }

    fn about<'a>(&self, saved: &'a Parts) -> About<'a> {
        About {
            method: Some(&saved.method),
            idempotency_key: has_idempotency_key(&saved.headers),
            time_left: None,
            margin: Duration::ZERO,
        }
    }

    fn is_repeatable(&self, body: &Replay<B>) -> bool {
        body.is_repeatable()
    }

    fn begin_again(&self, body: &Replay<B>) -> Option<ReplayBody<B>> {
        body.again()
    }

    fn again(
        &self,
        saved: &Parts,
        body: ReplayBody<B>,
        attempt: Attempt,
        header: Option<&HeaderName>,
    ) -> Self::Request {
        let mut request = Request::from_parts(saved.clone(), self.convert.convert(body));
        request.extensions_mut().insert(attempt);
        if let Some(name) = header {
            request.headers_mut().insert(name, HeaderValue::from(attempt.0.get()));
        }
        request
    }
}

impl<B: Body, F> Responses<Response<B>> for Http<F> {
    type Discard = Drain<B>;

    fn discard(&self, response: Response<B>) -> (Drain<B>, Option<Box<Response<()>>>) {
        let (parts, body) = response.into_parts();
        (Drain::new(body), Some(Box::new(Response::from_parts(parts, ()))))
    }

    fn annotate(&self, response: &mut Response<B>, attempts: Attempts) {
        response.extensions_mut().insert(attempts);
    }

    fn among(&self, response: &Response<B>, statuses: &[u16]) -> Option<Failure> {
        statuses.contains(&response.status().as_u16()).then(|| of_response(response))
    }
}

/// draft-ietf-httpapi-idempotency-key-header-07 §2.1: a string. An empty one names nothing.
fn has_idempotency_key(headers: &HeaderMap) -> bool {
    let key = headers.get("idempotency-key").map(HeaderValue::as_bytes);
    key.is_some_and(|key| !matches!(key.trim_ascii(), b"" | b"\"\""))
}

/// How many bytes a body still has, if it says so.
pub(super) fn remaining<D: Buf>(data: &D) -> u64 {
    data.remaining() as u64
}
