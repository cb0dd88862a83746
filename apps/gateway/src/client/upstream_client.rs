//! The client of one upstream.

use std::task::{Context, Poll};

use axum::body::Body;
use http::{Request, header::UPGRADE};
use seawall::{BoxError, retry::ReplayBody};
use tower::Service;

use super::http_client::HttpClient;

/// Sends upgrade requests over HTTP/1.1, because HTTP/2 has none (RFC 9113, section 8.6).
#[derive(Clone, Debug)]
pub(crate) struct UpstreamClient {
    pub(super) client: HttpClient,
    /// The client for upgrades, if the other may use HTTP/2.
    pub(super) upgrades: Option<HttpClient>,
}

impl Service<Request<ReplayBody<Body>>> for UpstreamClient {
    type Response = <HttpClient as Service<Request<ReplayBody<Body>>>>::Response;
    type Error = BoxError;
    type Future = <HttpClient as Service<Request<ReplayBody<Body>>>>::Future;

    // The clients are always ready.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.client.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReplayBody<Body>>) -> Self::Future {
        match &mut self.upgrades {
            Some(upgrades) if request.headers().contains_key(UPGRADE) => upgrades.call(request),
            _ => self.client.call(request),
        }
    }
}
