//! Origins that speak TLS or HTTP/2, and their certificates.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::body::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A certificate authority, and a server's certificate that it issued.
pub(crate) struct Certificates {
    authority: CertifiedIssuer<'static, KeyPair>,
    server: rcgen::Certificate,
    server_key: KeyPair,
}

impl Certificates {
    pub(crate) fn issue(name: &str) -> Self {
        Self::issue_with(name, |_| {})
    }

    /// Issues a certificate that has expired.
    pub(crate) fn issue_expired(name: &str) -> Self {
        Self::issue_with(name, |server| {
            server.not_before = rcgen::date_time_ymd(2001, 1, 1);
            server.not_after = rcgen::date_time_ymd(2001, 1, 2);
        })
    }

    fn issue_with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let mut server = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut server);
        let server_key = KeyPair::generate().unwrap();
        let server = server.signed_by(&server_key, &authority).unwrap();
        Self { authority, server, server_key }
    }

    /// Returns the authority's certificate in PEM.
    pub(crate) fn authority_pem(&self) -> String {
        self.authority.pem()
    }

    fn server_config(&self, protocols: &[&str]) -> ServerConfig {
        let key = PrivatePkcs8KeyDer::from(self.server_key.serialize_der());
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let mut config = builder
            .with_no_client_auth()
            .with_single_cert(vec![self.server.der().clone()], key.into())
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    }

    /// Starts a server that responds with the HTTP version of each request.
    pub(crate) async fn serve(&self, protocols: &[&str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(self.server_config(protocols)));
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(connection).await else { return };
                    let is_http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
                    serve_connection(TokioIo::new(tls), is_http2).await;
                });
            }
        });
        address
    }
}

async fn serve_connection<T>(connection: T, is_http2: bool)
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
{
    let service = service_fn(async |request: Request<Incoming>| {
        let version = format!("{:?}", request.version());
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(version)))
    });
    // The caller ends the connection as it likes.
    let _ = if is_http2 {
        http2::Builder::new(TokioExecutor::new()).serve_connection(connection, service).await
    } else {
        http1::Builder::new().serve_connection(connection, service).await
    };
}
