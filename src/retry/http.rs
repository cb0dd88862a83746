use std::{any::type_name, fmt, sync::Arc};

use bytes::Buf;
use http::{HeaderName, HeaderValue, Request, Response, Uri, request::Parts};
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
use crate::Deadline;

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

/// The head of a request, and the means to make its body again.
#[derive(Debug)]
pub struct Saved<B> {
    parts: Parts,
    body: Replay<B>,
}

impl<B, F> Requests<Request<B>> for Http<F>
where
    B: Body,
    F: Convert<B>,
{
    type Request = Request<F::Body>;
    type Saved = Saved<B>;

    fn uri<'a>(&self, request: &'a Request<B>) -> Option<&'a Uri> {
        Some(request.uri())
    }

    fn policy(&self, request: &Request<B>) -> Option<Arc<Policy>> {
        request.extensions().get::<Override>().map(Override::policy)
    }

    fn save(&self, request: Request<B>, body_limit: usize) -> (Self::Request, Saved<B>) {
        let (parts, body) = request.into_parts();
        let (body, replay) = ReplayBody::new(body, body_limit);
        let saved = Saved { parts: parts.clone(), body: replay };
        (Request::from_parts(parts, self.convert.convert(body)), saved)
    }

    fn about<'a>(&self, saved: &'a Saved<B>) -> About<'a> {
        About {
            method: Some(&saved.parts.method),
            // draft-ietf-httpapi-idempotency-key-header-07 §2.1
            idempotency_key: saved.parts.headers.contains_key("idempotency-key"),
            time_left: self.deadline(saved).map(|deadline| deadline.remaining()),
        }
    }

    fn deadline(&self, saved: &Saved<B>) -> Option<Deadline> {
        saved.parts.extensions.get().copied()
    }

    fn is_repeatable(&self, saved: &Saved<B>) -> bool {
        saved.body.is_repeatable()
    }

    fn again(
        &self,
        saved: &mut Saved<B>,
        attempt: Attempt,
        header: Option<&HeaderName>,
    ) -> Option<Self::Request> {
        let body = saved.body.again()?;
        let mut parts = saved.parts.clone();
        parts.extensions.insert(attempt);
        if let Some(name) = header {
            parts.headers.insert(name, HeaderValue::from(attempt.0.get()));
        }
        Some(Request::from_parts(parts, self.convert.convert(body)))
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
}

/// How many bytes a body still has, if it says so.
pub(super) fn remaining<D: Buf>(data: &D) -> u64 {
    data.remaining() as u64
}
