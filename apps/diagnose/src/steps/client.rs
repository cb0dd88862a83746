//! One connection as a Tower service, wrapped in seawall's layers.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use seawall::{
    BoxError, Failure,
    bad_gateway::BadGatewayClassifierLayer,
    classify::{Classify, HttpClassifier},
    timeout::TimeoutLayer,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::{Service, ServiceBuilder};

use crate::wire::Wire;

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(super) type Body = Empty<Bytes>;

/// The task that drives a connection. It returns the error that ended the connection, which the
/// sender may not receive.
pub(super) type ConnectionTask = tokio::task::JoinHandle<hyper::Result<()>>;

/// The sending half of a connection.
pub(super) enum SendRequest {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl SendRequest {
    pub(super) async fn handshake(
        io: Wire<Box<dyn Io>>,
        is_http2: bool,
    ) -> hyper::Result<(Self, ConnectionTask)> {
        let io = TokioIo::new(io);
        if is_http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            Ok((Self::Http2(sender), tokio::spawn(connection)))
        } else {
            let (sender, connection) = http1::handshake(io).await?;
            Ok((Self::Http1(sender), tokio::spawn(connection)))
        }
    }
}

impl Service<Request<Body>> for SendRequest {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = hyper::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        match self {
            Self::Http1(sender) => sender.poll_ready(cx),
            Self::Http2(sender) => sender.poll_ready(cx),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self {
            Self::Http1(sender) => Box::pin(sender.send_request(request)),
            Self::Http2(sender) => Box::pin(sender.send_request(request)),
        }
    }
}

/// Wraps the connection in the layers that classify its failures.
pub(super) fn service(
    sender: SendRequest,
    timeout: Duration,
) -> impl Service<
    Request<Body>,
    Response = Response<impl hyper::body::Body<Data = Bytes, Error: Into<BoxError>>>,
    Error = BoxError,
> {
    ServiceBuilder::new()
        .layer(TimeoutLayer::new(timeout))
        .layer(BadGatewayClassifierLayer::new())
        .service(sender)
}

/// Returns the failure in the extensions of a response, or classifies its head.
pub(super) fn classify_response<B>(response: &Response<B>) -> Option<Failure> {
    HttpClassifier::new().classify(Ok(response))
}
