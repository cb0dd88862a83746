//! The stack with common clients, servers and layers, on real sockets.

mod axum;
mod connection;
mod examples;
mod gateway;
mod hyper;
mod rate_limit;
#[cfg(feature = "reqwest-0_13")]
mod reqwest;
mod spawned_calls;
#[cfg(feature = "tonic-0_14")]
mod tonic;
mod tower;
mod tower_http;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use ::axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
    serve::Listener,
};
use rustls::{RootCertStore, ServerConfig, pki_types::PrivateKeyDer};
use seawall::{
    retry::{Backoff, RetryLayer},
    standard::StandardLayer,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Returns a stack without delays between attempts.
fn stack() -> StandardLayer {
    StandardLayer::new("upstream").retry(without_backoff())
}

fn without_backoff() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

/// Serves `app` over HTTP/1.1 and HTTP/2 until the runtime of the test ends.
async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { ::axum::serve(listener, app).await });
    addr
}

/// Returns an upstream and its number of requests.
///
/// `respond` receives the number of the request, starting at 1.
fn counting_app<R: IntoResponse + 'static>(
    respond: impl Fn(u32, Request) -> R + Clone + Send + Sync + 'static,
) -> (Router, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&count);
    let handler = async move |request: Request| {
        respond(counter.fetch_add(1, Ordering::Relaxed) + 1, request).into_response()
    };
    (Router::new().fallback(handler), count)
}

/// Returns an upstream that responds 502 to the first request and 200 to all others.
fn app_failing_once() -> (Router, Arc<AtomicU32>) {
    counting_app(|number, _| empty_response(if number == 1 { 502 } else { 200 }))
}

fn empty_response(status: u16) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status.try_into().unwrap();
    response
}

/// Serves `app` over TLS with a self-signed certificate and the given ALPN protocol.
async fn serve_tls(app: Router, protocol: &str) -> (SocketAddr, RootCertStore) {
    let certified_key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(certified_key.signing_key.serialize_der()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certified_key.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = config.with_single_cert(vec![certified_key.cert.der().clone()], key).unwrap();
    config.alpn_protocols = vec![protocol.into()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let listener = TlsListener(listener, Arc::new(config).into());
    tokio::spawn(async { ::axum::serve(listener, app).await });
    (addr, roots)
}

struct TlsListener(TcpListener, TlsAcceptor);

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, addr) = Listener::accept(&mut self.0).await;
            // The handshake fails when the client does not trust the certificate.
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, addr);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
