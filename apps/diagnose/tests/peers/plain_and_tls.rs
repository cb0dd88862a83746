//! TLS on a port that is used without, and the reverse.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::{
    program::{json, last_detail},
    server::{read_some, read_to_end, start, start_response},
};

fn acceptor() -> TlsAcceptor {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// The reaction of a TLS server to a request that is not TLS.
#[derive(Clone, Copy, Debug)]
enum Reaction {
    Alert,
    Close,
    Reset,
    Wait,
    BadRequest,
}

#[tokio::test]
async fn plain_request_to_tls_port_is_named_whatever_server_does() {
    for reaction in
        [Reaction::Alert, Reaction::Close, Reaction::Reset, Reaction::Wait, Reaction::BadRequest]
    {
        let acceptor = acceptor();
        let address = start(move |mut stream| {
            let acceptor = acceptor.clone();
            async move {
                let mut first = [0; 1];
                stream.peek(&mut first).await?;
                match reaction {
                    _ if first == [0x16] => {
                        let _ = acceptor.accept(stream).await?;
                    }
                    Reaction::Alert => {
                        stream.write_all(b"\x15\x03\x03\0\x02\x02\x0a").await?;
                        read_to_end(&mut stream).await?;
                    }
                    Reaction::Close => {
                        read_some(&mut stream).await?;
                    }
                    Reaction::Reset => stream.set_zero_linger()?,
                    Reaction::Wait => read_to_end(&mut stream).await?,
                    Reaction::BadRequest => {
                        read_some(&mut stream).await?;
                        stream.write_all(b"HTTP/1.1 400 x\r\ncontent-length: 0\r\n\r\n").await?;
                    }
                }
                Ok(())
            }
        })
        .await;
        let report = json(&[&format!("http://{address}/"), "--timeout", "1s"]).await;
        let failure = &report["failure"];
        assert_eq!(failure["cause"], "http_protocol_error", "{reaction:?}: {report}");
        assert_eq!(failure["protocol"], "TLS", "{reaction:?}: {report}");
        let advice = failure["advice"].as_str().unwrap();
        assert!(advice.starts_with("Use https"), "{reaction:?}: {report}");
    }
}

#[tokio::test]
async fn client_error_without_tls_stays_client_error() {
    let url =
        format!("http://{}/", start_response(b"HTTP/1.1 400 x\r\ncontent-length: 0\r\n\r\n").await);
    let report = json(&[&url, "--timeout", "1s"]).await;
    assert_eq!(report["failure"]["cause"], "client_error", "{report}");
}

#[tokio::test]
async fn tls_request_to_plain_port_is_named() {
    let response = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    let url = format!("https://{}/", start_response(response).await);
    let report = json(&[&url]).await;
    assert_eq!(report["failure"]["cause"], "tls_protocol_error", "{report}");
    assert_eq!(report["failure"]["protocol"], "HTTP/1", "{report}");
    assert_eq!(last_detail(&report), "the server speaks plain HTTP on this port, not TLS");
}

#[tokio::test]
async fn tls_request_to_plain_port_is_named_when_server_closes_silently() {
    let address = start(|mut stream| async move {
        let mut request = [0; 4096];
        let size = stream.read(&mut request).await?;
        if request.starts_with(b"HEAD / HTTP/1.1\r\n") {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
        }
        let sent = String::from_utf8_lossy(&request[..size]);
        assert!(!sent.contains("hunter2"), "the probe is not encrypted: {sent}");
        Ok(())
    })
    .await;
    let url = format!("https://{address}/?token=hunter2");
    let report = json(&[&url, "-H", "authorization: Bearer hunter2"]).await;
    assert_eq!(report["failure"]["cause"], "tls_protocol_error", "{report}");
    assert_eq!(report["failure"]["protocol"], "HTTP/1", "{report}");
}
