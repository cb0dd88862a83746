//! The stack with the clients, servers and layers that people use, on real sockets.

mod axum;
mod connection;
mod examples;
mod gateway;
mod hyper;
mod rate_limit;
#[cfg(feature = "reqwest-0_13")]
mod reqwest;
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

/// The stack without waits between attempts.
fn stack() -> StandardLayer {
    StandardLayer::new("upstream").retry(eager())
}

fn eager() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none())
}

/// Serves until the test's runtime ends, by HTTP/1.1 and HTTP/2.
async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { ::axum::serve(listener, app).await });
    addr
}

/// An upstream that answers by the number of the request, from 1, and how many there were.
fn app<R: IntoResponse + 'static>(
    answer: impl Fn(u32, Request) -> R + Clone + Send + Sync + 'static,
) -> (Router, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let asked = Arc::clone(&count);
    let handler = async move |request: Request| {
        answer(asked.fetch_add(1, Ordering::Relaxed) + 1, request).into_response()
    };
    (Router::new().fallback(handler), count)
}

/// 502 to the first request.
fn fails_once() -> (Router, Arc<AtomicU32>) {
    app(|number, _| status(if number == 1 { 502 } else { 200 }))
}

fn status(status: u16) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status.try_into().unwrap();
    response
}

/// Serves by TLS, with a certificate of its own, the one protocol.
async fn serve_tls(app: Router, protocol: &str) -> (SocketAddr, RootCertStore) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    config.alpn_protocols = vec![protocol.into()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let listener = Tls(listener, Arc::new(config).into());
    tokio::spawn(async { ::axum::serve(listener, app).await });
    (addr, roots)
}

struct Tls(TcpListener, TlsAcceptor);

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, addr) = Listener::accept(&mut self.0).await;
            // A client hangs up on a certificate that it does not trust.
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, addr);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
