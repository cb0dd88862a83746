//! hyper-util's client over TLS, with HTTP/1.1 or HTTP/2 as the upstream chooses.
//! `cargo run --all-features --example hyper_client`

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, serve::Listener};
use http::Request;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor, rt::TokioTimer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, pki_types::PrivateKeyDer};
use seawall::hyper_util::{PoisonOnTimeout, TrackReuse};
use seawall::{BoxError, standard::StandardLayer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    for protocol in ["http/1.1", "h2"] {
        let (upstream, roots) = flaky_upstream(protocol).await?;
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
        let connector = TrackReuse::new(connector.enable_all_versions().build());
        // Pings and timeouts replace an HTTP/2 connection whose peer has disappeared.
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .http2_keep_alive_interval(Duration::from_secs(10))
            .http2_keep_alive_while_idle(true)
            .build(connector);
        let client = ServiceBuilder::new()
            .layer(StandardLayer::new("hyper_client"))
            .service(PoisonOnTimeout::new(client));

        let request = Request::get(format!("https://localhost:{}/", upstream.port()));
        let response = client.oneshot(request.body(String::new())?).await?;
        println!("{:?}: {}", response.version(), response.status());
        assert_eq!(response.status(), 200);
        assert_eq!(response.version() == http::Version::HTTP_2, protocol == "h2");
    }
    Ok(())
}

/// Starts an upstream that responds with 502 once, then with 200. Its certificate is self-signed.
async fn flaky_upstream(protocol: &str) -> Result<(SocketAddr, RootCertStore), BoxError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der())?;
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone())?;
    let config = ServerConfig::builder().with_no_client_auth();
    let mut config = config.with_single_cert(vec![certified.cert.der().clone()], key)?;
    config.alpn_protocols = vec![protocol.into()];
    let listener = Tls(TcpListener::bind("127.0.0.1:0").await?, Arc::new(config).into());
    let addr = listener.local_addr()?;
    let requests = Arc::new(AtomicU32::new(0));
    let app = Router::new().fallback(async move || match requests.fetch_add(1, Relaxed) {
        0 => StatusCode::BAD_GATEWAY,
        _ => StatusCode::OK,
    });
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok((addr, roots))
}

struct Tls(TcpListener, TlsAcceptor);

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (stream, addr) = Listener::accept(&mut self.0).await;
        (self.1.accept(stream).await.expect("a TLS handshake"), addr)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
