//! A gRPC channel of tonic's as a service that takes requests with any body, so that layers go around it.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use seawall::{classify::GrpcClassifier, retry::RetryLayer};
//! use tonic::transport::Endpoint;
//! use tower::ServiceBuilder;
//!
//! let channel = Endpoint::from_static("http://127.0.0.1:50051").connect_lazy();
//! let service = ServiceBuilder::new()
//!     .layer(RetryLayer::new().classifier(GrpcClassifier::new()))
//!     .service(seawall::tonic::Client::new(channel));
//!
//! // As generated code does it: `GreeterClient::new(service)`.
//! let client = tonic::client::Grpc::new(service);
//! # let _ = client;
//! # Ok(())
//! # }
//! ```
//!
//! Every gRPC call is a POST, so by default only a call that was provably not processed is made again: one that could
//! not connect, or that the server refused before it began (`REFUSED_STREAM`, `GOAWAY`). Where making a call twice does
//! no harm, say so for all by [`RetryLayer::retry_all_methods`], or for one by a `retry::RetryOverride` in its extensions: then
//! `UNAVAILABLE` and the like, and whatever `grpc-retry-pushback-ms` allows, are tried again too. A call whose response
//! has begun to come is never made again.
//!
//! The whole stack goes around it too. A channel's requests have no authority, so there is one circuit, which bears the stack's
//! name. Callers of yours that set a `grpc-timeout` are listened to if you trust them:
//!
//! ```
//! # #[cfg(feature = "standard")] {
//! use std::time::Duration;
//! use seawall::{
//!     classify::GrpcClassifier,
//!     deadline::{DeadlineLayer, TimeoutHeader},
//!     retry::RetryLayer,
//!     standard::StandardLayer,
//! };
//!
//! let stack = StandardLayer::new("greeter")
//!     .classifier(GrpcClassifier::new())
//!     .retry(RetryLayer::new().retry_all_methods())
//!     .deadline(DeadlineLayer::new(Duration::from_secs(30)).trust_header(TimeoutHeader::Grpc));
//! # let _ = stack;
//! # }
//! ```
//!
//! [`RetryLayer::retry_all_methods`]: crate::retry::RetryLayer::retry_all_methods

use std::task::{Context, Poll};

use ::tonic::body::Body;
use bytes::Bytes;
use http::{HeaderName, Request};
use seawall_core::{BoxError, attempts::AttemptNumber};
use tower_service::Service;

/// A service that takes tonic's body, such as a `tonic::transport::Channel`, as one that takes any body.
///
/// It tells the server how often a call was tried before, in `grpc-previous-rpc-attempts` (gRFC A6), from the second
/// attempt on.
#[derive(Clone, Copy, Debug)]
pub struct Client<S> {
    inner: S,
}

impl<S> Client<S> {
    /// Wraps `inner`.
    #[must_use]
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, B> Service<Request<B>> for Client<S>
where
    S: Service<Request<Body>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        self.inner.call(with_attempt_header(request.map(Body::new)))
    }
}

fn with_attempt_header(mut request: Request<Body>) -> Request<Body> {
    // The name in gRFC A6, "Exposed Retry Metadata".
    const NAME: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

    if let Some(attempt) = request.extensions().get::<AttemptNumber>() {
        let previous = attempt.0.get() - 1;
        request.headers_mut().insert(NAME, previous.into());
    }
    request
}
