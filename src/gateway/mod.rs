//! Rewrites the URL of a caller's request to that of an upstream.
//!
//! A gateway must not build the upstream's URL from text: `format!("http://billing:8080{path}")`
//! with the path `@evil.example/` is a URL of another host. [`UpstreamUri`] combines the scheme and
//! the authority of the upstream with the path and the query of the caller, each as a parsed part.
//!
//! # Example
//!
//! An axum route that forwards to an upstream. A target that cannot be forwarded is answered with
//! 400.
//!
//! ```
//! # #[cfg(all(feature = "full", feature = "hyper-util"))]
//! # fn app() -> Result<axum::Router, seawall::BoxError> {
//! use std::future::ready;
//! use axum::{Router, extract::Request, http::StatusCode, middleware::map_request};
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use seawall::{gateway::UpstreamUri, standard::StandardLayer};
//! use tower::ServiceBuilder;
//!
//! let upstream: UpstreamUri = "http://billing:8080".parse()?;
//! let rewrite = move |request: Request| {
//!     let request = upstream.rewrite(request);
//!     ready(request.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string())))
//! };
//! let billing = ServiceBuilder::new()
//!     // Outside the stack, which takes the keys of circuits and budgets from the URL.
//!     .layer(map_request(rewrite))
//!     .layer(StandardLayer::gateway("edge"))
//!     .service(Client::builder(TokioExecutor::new()).build_http());
//! let app = Router::new().nest_service("/billing", billing);
//! # Ok(app)
//! # }
//! ```
//!
//! # Behavior
//!
//! | target of the request (RFC 9112 §3.2) | URL of the upstream `http://billing:8080/api` |
//! |---|---|
//! | `/17?page=2` | `http://billing:8080/api/17?page=2` |
//! | `//host/x`, `/@host`, `/a/../b`, `/%2e%2e/b` | the same path below `/api`: nothing is decoded or normalized |
//! | `http://user:password@other/17`, also of HTTP/2 | `http://billing:8080/api/17`: the caller's scheme and authority have no effect |
//! | `http://other`, `http://other?page=2` | `http://billing:8080/api/`, `http://billing:8080/api/?page=2` (RFC 9112 §3.2.1) |
//! | `*`, `other:443`, and each request with the method CONNECT | [`UnsupportedTarget`] |
//! | a URL longer than 65,534 bytes | [`UnsupportedTarget`] |
//!
//! A path with dot segments can leave `/api` at the upstream. If the base path is a boundary, reject
//! such paths, in their percent-encoded form too.

mod error;
mod upstream_uri;

pub use self::{
    error::{InvalidUpstreamUri, UnsupportedTarget},
    upstream_uri::UpstreamUri,
};
