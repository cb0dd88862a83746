//! A tonic channel as a service for requests with any body, for use inside layers.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use std::time::Duration;
//! use seawall::{classify::GrpcClassifier, retry::RetryLayer, tonic::StatusLayer};
//! use tonic::transport::Endpoint;
//! use tower::ServiceBuilder;
//!
//! let channel = Endpoint::from_static("http://127.0.0.1:50051")
//!     .http2_keep_alive_interval(Duration::from_secs(10))
//!     .keep_alive_timeout(Duration::from_secs(5))
//!     .connect_lazy();
//! let service = ServiceBuilder::new()
//!     .layer(StatusLayer::new())
//!     .layer(RetryLayer::new().classifier(GrpcClassifier::new()))
//!     .service(seawall::tonic::Client::new(channel));
//!
//! // Generated code does the same: `GreeterClient::new(service)`.
//! let client = tonic::client::Grpc::new(service);
//! # let _ = client;
//! # Ok(())
//! # }
//! ```
//!
//! Every gRPC call is a POST. By default, only a call that was provably not processed is retried:
//! the connection failed, or the server rejected the call before it started (`REFUSED_STREAM`,
//! `GOAWAY`).
//!
//! If your calls are safe to repeat, enable retries for all of them with
//! [`RetryLayer::retry_all_methods`], or for one with a `retry::RetryOverride` in its extensions.
//! Then `UNAVAILABLE` and similar statuses are retried too, and every status that
//! `grpc-retry-pushback-ms` allows. A call is never retried once its response has started.
//!
//! [`StatusLayer`], around the other layers, gives their errors the right status code. Without it,
//! tonic reports a timeout, an open circuit and a limit of this crate as `UNKNOWN`.
//!
//! The client also works inside the standard stack. A channel's requests have no authority, so the
//! stack has one circuit, with the name of the stack. To apply the `grpc-timeout` of your callers,
//! trust the header:
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
//! # Silent connections
//!
//! A channel has one connection. If its peer disappears without closing it, every call times out,
//! also the retries and the probes of a circuit, until the kernel gives up after about 15 minutes.
//! Set pings as above: the channel then closes the connection and opens another. Without
//! `keep_alive_while_idle`, it pings only while calls are in flight.
//!
//! The server must permit the interval. Servers of grpc-go and gRPC C-core permit one ping per 5
//! minutes by default, and close the connection with `ENHANCE_YOUR_CALM` after more (gRFC A8).
//!
//! [`RetryLayer::retry_all_methods`]: crate::retry::RetryLayer::retry_all_methods

mod peek;
mod status;

use std::task::{Context, Poll};

use ::tonic::body::Body;
use bytes::Bytes;
use http::{HeaderName, Request, Response};
use seawall_core::{BoxError, attempts::AttemptNumber};
use tower_service::Service;

pub use self::{
    peek::{ClientBody, ClientFuture},
    status::{ResponseBody, ResponseFuture, StatusLayer, StatusService},
};
use crate::headers;

/// Adapts a service for tonic's body, such as a `tonic::transport::Channel`, to requests with any
/// body.
///
/// From the second attempt on, it sends the number of previous attempts to the server in
/// `grpc-previous-rpc-attempts` (gRFC A6).
///
/// A status that arrives in trailers together with the head, without a message, is moved into the
/// head, where classifiers read it. The client does not wait for it.
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

impl<S, B, ResBody> Service<Request<B>> for Client<S>
where
    S: Service<Request<Body>, Response = Response<ResBody>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    ResBody: http_body::Body + Unpin,
{
    type Response = Response<ClientBody<ResBody>>;
    type Error = S::Error;
    type Future = ClientFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ClientFuture { inner: self.inner.call(with_attempt_header(request.map(Body::new))) }
    }
}

fn with_attempt_header(mut request: Request<Body>) -> Request<Body> {
    // Named in gRFC A6, "Exposed Retry Metadata".
    static NAME: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

    if let Some(attempt) = request.extensions().get::<AttemptNumber>() {
        let previous = attempt.0.get() - 1;
        headers::insert(request.headers_mut(), &NAME, previous.into());
    }
    request
}
