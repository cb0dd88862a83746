//! CORS for services that are protected from the pages of other origins.
//!
//! The gateway answers a preflight itself, because a preflight carries no token: with 204 to an
//! origin in `allowed_origins`, and with 403 to others. It lets the pages of allowed origins read
//! the responses. Services without API keys, and without a `[[client]]`, answer for themselves.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue, Method, Request, Response, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
            ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
        },
    },
    response::IntoResponse,
};
use futures_util::future::{BoxFuture, Either};
use tower::{Layer, Service};

use super::{admission::ServiceAccess, config::AllowedOrigin, problem::Problem};

const ORIGIN_NOT_ALLOWED: Problem =
    Problem::forbidden("The origin of the page is not in `allowed_origins`.");

/// The time for which a browser remembers the answer to a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Answers preflights, and lets the pages of allowed origins read responses.
///
/// It comes outside of all layers that replace errors, so that pages can read errors too.
#[derive(Clone, Debug)]
pub(crate) struct CorsLayer {
    allowed_origins: Arc<[AllowedOrigin]>,
    enabled: bool,
}

impl CorsLayer {
    /// `adds_api_keys` is whether any upstream of the service has an API key.
    pub(crate) fn new(access: &ServiceAccess, adds_api_keys: bool) -> Self {
        let enabled = access.guards_origins(adds_api_keys);
        Self { allowed_origins: access.allowed_origins(), enabled }
    }

    fn allowed_origin(&self, request: &Request<Body>) -> Option<HeaderValue> {
        let origin = request.headers().get(ORIGIN)?;
        self.allowed_origins.iter().any(|allowed| allowed.is(origin)).then(|| origin.clone())
    }
}

fn is_preflight(request: &Request<Body>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Returns the answer to an allowed preflight.
fn preflight(request: &Request<Body>, origin: HeaderValue) -> Response<Body> {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let copies: [(HeaderName, HeaderName); 2] = [
        (ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_ALLOW_METHODS),
        (ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_ALLOW_HEADERS),
    ];
    for (requested, allowed) in copies {
        if let Some(value) = request.headers().get(requested) {
            response.headers_mut().insert(allowed, value.clone());
        }
    }
    response.headers_mut().insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    allow(&mut response, origin);
    response
}

fn allow(response: &mut Response<Body>, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    headers.append(VARY, HeaderValue::from_name(ORIGIN));
}

impl<S> Layer<S> for CorsLayer {
    type Service = Cors<S>;

    fn layer(&self, inner: S) -> Cors<S> {
        Cors { inner, layer: self.clone() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Cors<S> {
    inner: S,
    layer: CorsLayer,
}

impl<S> Service<Request<Body>> for Cors<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error: Send, Future: Send + 'static>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let origin = if self.layer.enabled { self.layer.allowed_origin(&request) } else { None };
        if self.layer.enabled && is_preflight(&request) {
            let response = match origin {
                Some(origin) => preflight(&request, origin),
                None => ORIGIN_NOT_ALLOWED.into_proxy_response(),
            };
            return Either::Right(Box::pin(async { Ok(response) }));
        }
        let call = self.inner.call(request);
        let Some(origin) = origin else { return Either::Left(call) };
        Either::Right(Box::pin(async move {
            let mut response = call.await?;
            allow(&mut response, origin);
            Ok(response)
        }))
    }
}
