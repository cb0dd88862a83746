//! TLS failures: invalid certificates, alerts and ports without TLS.

use std::{process::Command, sync::Arc};

use hyper::{Request, Response, body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

#[derive(Clone, Copy, PartialEq)]
enum ServerKind {
    Http1,
    Http2,
    RequiresClientCertificate,
}

struct TestServer {
    port: u16,
    pem: String,
}

/// Starts a server with a self-signed certificate that responds with 200.
async fn start(name: &str, last_year: i32) -> TestServer {
    start_kind(name, last_year, ServerKind::Http1).await
}

async fn start_kind(name: &str, last_year: i32, kind: ServerKind) -> TestServer {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if kind == ServerKind::RequiresClientCertificate {
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(vec![certificate.der().clone()], secret).unwrap();
    if kind == ServerKind::Http2 {
        config.alpn_protocols = vec![b"h2".to_vec()];
    }
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The client closes the connection if it rejects the certificate.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                if kind == ServerKind::Http2 {
                    let handler = service_fn(async |request: Request<Incoming>| {
                        let body = format!("{} {:?}", request.uri(), request.version());
                        Response::builder().status(503).body(body)
                    });
                    let http2 = http2::Builder::new(TokioExecutor::new());
                    let _ = http2.serve_connection(TokioIo::new(stream), handler).await;
                    continue;
                }
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                let _ = stream.shutdown().await;
            }
        }
    });
    TestServer { port, pem: certificate.pem() }
}

/// Runs the program; `trusted` makes the server's certificate its only root.
async fn diagnose(
    server: &TestServer,
    trusted: bool,
    extra: &'static [&'static str],
) -> (Option<i32>, Value) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), if trusted { &server.pem } else { "" }).unwrap();
    let url = format!("https://localhost:{}/", server.port);
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seawall-diagnose"));
        command.args([&url, "--json"]).args(extra).env("SSL_CERT_FILE", file.path());
        command.env_remove("SSL_CERT_DIR").output().unwrap()
    });
    let output = output.await.unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test]
async fn invalid_certificates_are_distinguished() {
    for (name, last_year, trusted, message) in [
        ("localhost", 2021, true, "expired"),
        ("other.example", 2999, true, "is for other.example, not for localhost"),
        ("localhost", 2999, false, "does not trust the certificate's issuer"),
    ] {
        let server = start(name, last_year).await;
        let (code, report) = diagnose(&server, trusted, &[]).await;
        assert_eq!((code, &report["failure"]["cause"]), (Some(1), &"tls_certificate_error".into()));
        assert_eq!(report["failure"]["processed"], "no");
        let detail = report["steps"][2]["detail"].as_str().unwrap();
        assert!(detail.contains(message), "{detail}");
    }
}

#[tokio::test]
async fn valid_certificate_passes_and_invalid_one_with_insecure() {
    let server = start("localhost", 2999).await;
    let (code, report) = diagnose(&server, true, &[]).await;
    assert_eq!((code, &report["status"]), (Some(0), &200.into()), "{report}");
    let (code, report) = diagnose(&server, false, &["--insecure"]).await;
    assert_eq!((code, &report["steps"][2]["outcome"]), (Some(0), &"warning".into()), "{report}");
}

#[tokio::test]
async fn port_without_tls_is_tls_protocol_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    let (code, report) = diagnose(&TestServer { port, pem: String::new() }, false, &[]).await;
    assert_eq!((code, &report["failure"]["cause"]), (Some(1), &"tls_protocol_error".into()));
}

#[tokio::test]
async fn http2_is_used_when_server_selects_it() {
    let server = start_kind("localhost", 2999, ServerKind::Http2).await;
    let (code, report) = diagnose(&server, true, &[]).await;
    assert_eq!((code, &report["failure"]["cause"]), (Some(1), &"overloaded".into()), "{report}");
    let detail = report["steps"][3]["detail"].as_str().unwrap();
    assert!(detail.ends_with("over HTTP/2"), "{detail}");
}

#[tokio::test]
async fn alert_after_handshake_is_reported() {
    let server = start_kind("localhost", 2999, ServerKind::RequiresClientCertificate).await;
    let (code, report) = diagnose(&server, true, &[]).await;
    assert_eq!(
        (code, &report["failure"]["cause"]),
        (Some(1), &"tls_alert_received".into()),
        "{report}"
    );
}
