//! Client authentication and rate limiting.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{
        HeaderValue, Request, Response, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    response::IntoResponse,
};
use seawall::BoxError;
use subtle::ConstantTimeEq;
use tower::{Layer, Service};

use super::{
    api_key::ApiKey,
    config::{ClientConfig, Config},
    credentials,
    rate_limit::{ClientId, ClientRateLimiter},
    rejection::Rejection,
};
use crate::{dashboard, forward::ClientAddress};

/// Authenticates the clients of the configuration, and applies the rate limit of each.
///
/// # Clone
///
/// Clones share the rate limiter.
#[derive(Clone, Debug)]
pub(super) struct AuthLayer {
    clients: Arc<[(Arc<str>, ApiKey)]>,
    rate_limiter: Option<Arc<ClientRateLimiter>>,
    /// Whether to reject requests from the pages of other sites. Set if the gateway adds API keys
    /// and does not authenticate clients.
    reject_cross_site: bool,
}

impl AuthLayer {
    pub(super) fn new(config: &Config, rate_limiter: Option<Arc<ClientRateLimiter>>) -> Self {
        let clients: Arc<_> = config
            .clients
            .iter()
            .map(|ClientConfig { name, token_env }| {
                (Arc::from(name.as_ref().as_str()), token_env.clone())
            })
            .collect();
        let reject_cross_site = clients.is_empty() && config.has_api_keys();
        Self { clients, rate_limiter, reject_cross_site }
    }

    fn admit(&self, request: &Request<Body>) -> Result<(), Denied> {
        if self.reject_cross_site && !dashboard::is_not_cross_site(request.headers()) {
            return Err(Denied::Rejected(Rejection::cross_site()));
        }
        let client = if self.clients.is_empty() {
            let client = request.extensions().get();
            client.map_or(ClientId::Unknown, |client: &ClientAddress| {
                ClientId::from_address(client.0)
            })
        } else {
            ClientId::Named(self.authenticate(request).ok_or(Denied::Unauthorized)?)
        };
        match self.rate_limiter.as_ref().map(|limiter| limiter.check(client)) {
            Some(Err(wait)) => Err(Denied::Rejected(Rejection::rate_limited(wait))),
            _ => Ok(()),
        }
    }

    /// Returns the name of the client whose token the request has.
    fn authenticate(&self, request: &Request<Body>) -> Option<Arc<str>> {
        credentials::tokens(request.headers()).find_map(|token| {
            // Compares all tokens in constant time, so that the duration reveals neither a token
            // nor its position.
            let matches = |(_, key): &&(Arc<str>, ApiKey)| bool::from(key.as_bytes().ct_eq(token));
            self.clients.iter().filter(matches).last().map(|(name, _)| Arc::clone(name))
        })
    }
}

enum Denied {
    Unauthorized,
    Rejected(Rejection),
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, layer: self.clone() }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Auth<S> {
    inner: S,
    layer: AuthLayer,
}

impl<S> Service<Request<Body>> for Auth<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send + 'static>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.layer.admit(&request) {
            Ok(()) => Box::pin(self.inner.call(request)),
            Err(Denied::Unauthorized) => Box::pin(async { Ok(unauthorized()) }),
            Err(Denied::Rejected(rejection)) => Box::pin(async { Err(rejection.into()) }),
        }
    }
}

fn unauthorized() -> Response<Body> {
    let problem = serde_json::json!({
        "title": "Unauthorized",
        "status": 401,
        "detail": "Send a client token of this gateway as the API key.",
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::UNAUTHORIZED, headers, problem.to_string()).into_response()
}
