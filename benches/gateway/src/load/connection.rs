//! A connection to a proxy.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Kind;

/// A complete response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    origin: SocketAddr,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr, origin: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.expect("a connection");
        tokio::spawn(connection);
        Self { sender, address, origin }
    }

    pub(super) fn request(&self, kind: Kind) -> Request<Full<Bytes>> {
        kind.request(self.address, self.origin)
    }

    /// Returns the response, or nothing if the connection closed.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Option<Response> {
        self.sender.ready().await.ok()?;
        let (head, body) = self.sender.send_request(request).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Response { status: head.status, body })
    }

    pub(super) async fn open_again_if_closed(&mut self) {
        if self.sender.ready().await.is_err() {
            *self = Self::open(self.address, self.origin).await;
        }
    }
}
