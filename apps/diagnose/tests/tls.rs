//! Certificates that are not accepted, each told apart.

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
enum Server {
    Plain,
    Http2,
    WantsClientCertificate,
}

struct Made {
    port: u16,
    pem: String,
}

/// A server whose certificate is self-signed, and which answers 200.
async fn serve(name: &str, last_year: i32) -> Made {
    serve_by(name, last_year, Server::Plain).await
}

async fn serve_by(name: &str, last_year: i32, kind: Server) -> Made {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let wants = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if kind == Server::WantsClientCertificate {
        builder.with_client_cert_verifier(wants.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(vec![certificate.der().clone()], secret).unwrap();
    if kind == Server::Http2 {
        config.alpn_protocols = vec![b"h2".to_vec()];
    }
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The client hangs up on what it does not accept.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                if kind == Server::Http2 {
                    let answer = service_fn(async |request: Request<Incoming>| {
                        let said = format!("{} {:?}", request.uri(), request.version());
                        Response::builder().status(503).body(said)
                    });
                    let server = http2::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
                    continue;
                }
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                let _ = stream.shutdown().await;
            }
        }
    });
    Made { port, pem: certificate.pem() }
}

/// The made certificate is trusted only where a file with it is given.
async fn ask(made: &Made, trusted: bool, more: &'static [&'static str]) -> (Option<i32>, Value) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), if trusted { &made.pem } else { "" }).unwrap();
    let url = format!("https://localhost:{}/", made.port);
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seawall-diagnose"));
        command.args([&url, "--json"]).args(more).env("SSL_CERT_FILE", file.path());
        command.env_remove("SSL_CERT_DIR").output().unwrap()
    });
    let output = output.await.unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test]
async fn bad_certificates_are_told_apart() {
    for (name, last_year, trusted, words) in [
        ("localhost", 2021, true, "expired"),
        ("other.example", 2999, true, "is for other.example, and not for localhost"),
        ("localhost", 2999, false, "issuer is not trusted"),
    ] {
        let made = serve(name, last_year).await;
        let (code, report) = ask(&made, trusted, &[]).await;
        assert_eq!((code, &report["failure"]["cause"]), (Some(1), &"tls_certificate_error".into()));
        assert_eq!(report["failure"]["processed"], "no");
        let detail = report["steps"][2]["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail}");
    }
}

#[tokio::test]
async fn a_good_certificate_passes_and_a_bad_one_when_asked() {
    let made = serve("localhost", 2999).await;
    let (code, report) = ask(&made, true, &[]).await;
    assert_eq!((code, &report["status"]), (Some(0), &200.into()), "{report}");
    let (code, report) = ask(&made, false, &["--insecure"]).await;
    assert_eq!((code, &report["steps"][2]["outcome"]), (Some(0), &"warning".into()), "{report}");
}

#[tokio::test]
async fn a_port_without_tls_is_a_protocol_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    let (code, report) = ask(&Made { port, pem: String::new() }, false, &[]).await;
    assert_eq!((code, &report["failure"]["cause"]), (Some(1), &"tls_protocol_error".into()));
}

#[tokio::test]
async fn http_2_is_spoken_where_the_server_chooses_it() {
    let made = serve_by("localhost", 2999, Server::Http2).await;
    let (code, report) = ask(&made, true, &[]).await;
    assert_eq!((code, &report["failure"]["cause"]), (Some(1), &"overloaded".into()), "{report}");
    let detail = report["steps"][3]["detail"].as_str().unwrap();
    assert!(detail.ends_with("by HTTP/2"), "{detail}");
}

#[tokio::test]
async fn an_alert_is_told_though_it_comes_after_the_handshake() {
    let made = serve_by("localhost", 2999, Server::WantsClientCertificate).await;
    let (code, report) = ask(&made, true, &[]).await;
    assert_eq!(
        (code, &report["failure"]["cause"]),
        (Some(1), &"tls_alert_received".into()),
        "{report}"
    );
}
