//! Who may come in, and how often.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::ConnectInfo,
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
    config::{Client, Config},
    headers,
    key::Key,
    limit::{Limiter, Who},
    refusal::Refusal,
};
use crate::live;

/// Lets in whom the file allows. Clones share the counts.
#[derive(Clone, Debug)]
pub(super) struct DoorLayer {
    clients: Arc<[(Arc<str>, Key)]>,
    limiter: Option<Arc<Limiter>>,
    /// There are keys, and nobody is asked who he is: a web page must not use them.
    guards_keys: bool,
}

impl DoorLayer {
    pub(super) fn new(config: &Config, limiter: Option<Arc<Limiter>>) -> Self {
        let named = |Client { name, token_env }: &Client| {
            (Arc::from(name.as_ref().as_str()), token_env.clone())
        };
        let clients: Arc<_> = config.clients.iter().map(named).collect();
        let guards_keys = clients.is_empty() && config.has_keys();
        Self { clients, limiter, guards_keys }
    }

    /// Who asks; or what that is answered.
    fn admit(&self, request: &Request<Body>) -> Result<(), Refused> {
        if self.guards_keys && !live::may_watch(request.headers()) {
            return Err(Refused::Error(Refusal::foreign_page()));
        }
        let who = if self.clients.is_empty() {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
            peer.map_or(Who::Unknown, |peer| Who::at(peer.0.ip()))
        } else {
            Who::Named(self.known(request).ok_or(Refused::Unknown)?)
        };
        match self.limiter.as_ref().map(|limiter| limiter.check(who)) {
            Some(Err(wait)) => Err(Refused::Error(Refusal::too_often(wait))),
            _ => Ok(()),
        }
    }

    fn known(&self, request: &Request<Body>) -> Option<Arc<str>> {
        headers::shown(request.headers()).find_map(|shown| {
            // Each is compared, and the whole of it: the time tells nothing.
            let is = |(_, token): &&(Arc<str>, Key)| bool::from(token.as_bytes().ct_eq(shown));
            self.clients.iter().filter(is).last().map(|(name, _)| Arc::clone(name))
        })
    }
}

enum Refused {
    Unknown,
    Error(Refusal),
}

impl<S> Layer<S> for DoorLayer {
    type Service = Door<S>;

    fn layer(&self, inner: S) -> Door<S> {
        Door { inner, layer: self.clone() }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Door<S> {
    inner: S,
    layer: DoorLayer,
}

impl<S> Service<Request<Body>> for Door<S>
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
            Err(Refused::Unknown) => Box::pin(async { Ok(who_are_you()) }),
            Err(Refused::Error(error)) => Box::pin(async { Err(error.into()) }),
        }
    }
}

fn who_are_you() -> Response<Body> {
    let problem = serde_json::json!({
        "title": "Unauthorized",
        "status": 401,
        "detail": "This gateway knows its clients by a token in place of the API key, and not by that one.",
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::UNAUTHORIZED, headers, problem.to_string()).into_response()
}
