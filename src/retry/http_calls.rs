use std::{any::type_name, fmt, sync::Arc, time::Duration};

use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version,
};
use http_body::Body;
use seawall_core::{Failure, internal::classify_response};

use super::{
    AttemptNumber, ReplayBody, RetryOverride, RetryReport,
    call_adapter::sealed::{RequestAdapter, ResponseAdapter},
    drain::Drain,
    policy::Policy,
    replay::ReplaySource,
    request_facts::RequestFacts,
};
use crate::{headers, time_limit::Deadline};

/// The adapter for HTTP requests. It buffers their bodies while they are sent: see [`ReplayBody`].
///
/// `F` converts the body for the inner service: [`IdentityBody`] or [`MappedBody`].
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpCallAdapter<F = IdentityBody> {
    pub(super) convert: F,
}

/// A conversion that passes [`ReplayBody`] to the inner service unchanged.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IdentityBody {}

/// A conversion of [`ReplayBody`] by a function. See
/// [`RetryLayer::map_body`](super::RetryLayer::map_body).
#[derive(Clone, Copy)]
pub struct MappedBody<F>(pub(super) F);

impl<F> fmt::Debug for MappedBody<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MappedBody").field(&format_args!("{}", type_name::<F>())).finish()
    }
}

/// Converts the body for the inner service.
pub trait MapBody<B> {
    type Body;

    fn convert(&self, body: ReplayBody<B>) -> Self::Body;
}

impl<B> MapBody<B> for IdentityBody {
    type Body = ReplayBody<B>;

    fn convert(&self, body: ReplayBody<B>) -> ReplayBody<B> {
        body
    }
}

impl<B, B2, F> MapBody<B> for MappedBody<F>
where
    F: Fn(ReplayBody<B>) -> B2,
{
    type Body = B2;

    fn convert(&self, body: ReplayBody<B>) -> B2 {
        (self.0)(body)
    }
}

/// The head of a request, which all attempts share.
#[derive(Debug)]
pub struct SavedHead {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    extensions: Extensions,
}

impl<B, F> RequestAdapter<Request<B>> for HttpCallAdapter<F>
where
    B: Body,
    F: MapBody<B>,
{
    type Request = Request<F::Body>;
    type Saved = SavedHead;
    type ReplaySource = ReplaySource<B>;
    type NextBody = ReplayBody<B>;

    fn uri<'a>(&self, request: &'a Request<B>) -> Option<&'a Uri> {
        Some(request.uri())
    }

    fn policy_override(&self, request: &Request<B>) -> Option<Arc<Policy>> {
        RetryOverride::policy_in(request.extensions())
    }

    fn deadline(&self, request: &Request<B>) -> Option<Deadline> {
        request.extensions().get().copied()
    }

    fn set_deadline(&self, request: &mut Request<B>, deadline: Deadline) {
        request.extensions_mut().insert(deadline);
    }

    #[inline]
    fn save(&self, request: &Request<B>) -> SavedHead {
        SavedHead {
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            headers: request.headers().clone(),
            extensions: request.extensions().clone(),
        }
    }

    #[inline]
    fn split(
        &self,
        request: Request<B>,
        max_replay_bytes: usize,
    ) -> (Self::Request, ReplaySource<B>) {
        let (mut parts, body) = request.into_parts();
        // A caller of a gRPC stream may wait for a response before it sends more, so a pending
        // body does not show that the caller is slow.
        let records_waits = || !headers::is_grpc(&parts.headers);
        let (body, source) = ReplayBody::new(body, max_replay_bytes, records_waits);
        insert_wait(&mut parts.extensions, &body);
        (Request::from_parts(parts, self.convert.convert(body)), source)
    }

    fn request_facts<'a>(&self, saved: &'a SavedHead) -> RequestFacts<'a> {
        RequestFacts {
            method: Some(&saved.method),
            has_idempotency_key: has_idempotency_key(&saved.headers),
            time_left: None,
            deadline_margin: Duration::ZERO,
            is_failure_isolated: false,
        }
    }

    fn is_replayable(&self, source: &ReplaySource<B>) -> bool {
        source.is_replayable()
    }

    fn start_replay(&self, source: &mut ReplaySource<B>) -> Option<ReplayBody<B>> {
        source.start_replay()
    }

    fn is_body_pending(&self, source: &ReplaySource<B>) -> bool {
        source.is_body_pending()
    }

    fn rebuild(
        &self,
        saved: &SavedHead,
        body: ReplayBody<B>,
        attempt: AttemptNumber,
        header: Option<&HeaderName>,
    ) -> Self::Request {
        let mut extensions = saved.extensions.clone();
        insert_wait(&mut extensions, &body);
        extensions.insert(attempt);
        let mut request = Request::new(self.convert.convert(body));
        request.method_mut().clone_from(&saved.method);
        request.uri_mut().clone_from(&saved.uri);
        *request.version_mut() = saved.version;
        request.headers_mut().clone_from(&saved.headers);
        *request.extensions_mut() = extensions;
        if let Some(name) = header {
            headers::insert(request.headers_mut(), name, HeaderValue::from(attempt.0.get()));
        }
        request
    }
}

impl<B: Body, F> ResponseAdapter<Response<B>> for HttpCallAdapter<F> {
    type Discard = Drain<B>;

    fn discard(&self, response: Response<B>) -> (Drain<B>, Option<Box<Response<()>>>) {
        let (parts, body) = response.into_parts();
        (Drain::new(body), Some(Box::new(Response::from_parts(parts, ()))))
    }

    fn remove_report(&self, response: &mut Response<B>) {
        response.extensions_mut().remove::<RetryReport>();
    }

    fn insert_report(&self, response: &mut Response<B>, report: RetryReport) {
        response.extensions_mut().insert(report);
    }

    fn failure_for_status(&self, response: &Response<B>, statuses: &[u16]) -> Option<Failure> {
        statuses.contains(&response.status().as_u16()).then(|| classify_response(response))
    }
}

/// Lets the timer of the attempt see the waits for the body.
#[inline]
fn insert_wait<B>(extensions: &mut Extensions, body: &ReplayBody<B>) {
    if let Some(wait) = body.wait() {
        extensions.insert(wait.clone());
    }
}

/// Returns whether the request has an idempotency key: a string
/// (draft-ietf-httpapi-idempotency-key-header-07 §2.1). An empty string does not count.
fn has_idempotency_key(headers: &HeaderMap) -> bool {
    let key = headers.get("idempotency-key").map(HeaderValue::as_bytes);
    key.is_some_and(|key| !matches!(key.trim_ascii(), b"" | b"\"\""))
}
