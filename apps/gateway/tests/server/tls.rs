//! TLS for callers.

use std::{fs, net::SocketAddr, sync::Arc};

use rustls::{ClientConfig, pki_types::ServerName};
use scripted_origin::{Origin, Script};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    caller::Caller,
    http2,
    running::{Running, config},
    support::gateway,
    tls_files::{TlsFiles, client},
};

async fn connect(
    gateway: SocketAddr,
    client: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(gateway).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::clone(client)).connect(name, stream).await
}

#[tokio::test]
async fn gateway_serves_http1_and_http2_over_tls() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let (files, certificate) = TlsFiles::create();
    let gateway = Running::start(&files.server(""), origin.addr());
    assert!(gateway.process.url.starts_with("https://"), "{}", gateway.process.url);
    let http1 = client(certificate.clone(), "http/1.1");
    let stream = connect(gateway.address, &http1).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut caller = Caller(stream);
    caller.request().await;
    caller.request().await;
    let stream = connect(gateway.address, &client(certificate, "h2")).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(http2::get(stream, "https").await, "ok");
}

#[tokio::test]
async fn connection_ends_when_its_handshake_stalls() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let (files, _) = TlsFiles::create();
    let server = files.server(", handshake_timeout = \"300ms\"");
    let gateway = Running::start(&server, origin.addr());
    for bytes in [&b""[..], b"\x16\x03\x01\x02\x00"] {
        let mut caller = Caller::connect(gateway.address).await;
        caller.send(bytes).await;
        assert_eq!(caller.read_to_end().await, b"");
    }
}

#[tokio::test]
async fn silent_tls_connection_ends_when_head_timeout_has_passed() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let (files, certificate) = TlsFiles::create();
    let server = format!("head_timeout = \"300ms\"\n{}", files.server(""));
    let gateway = Running::start(&server, origin.addr());
    let http1 = client(certificate, "http/1.1");
    let mut caller = Caller(connect(gateway.address, &http1).await.unwrap());
    let mut byte = [0];
    let read = tokio::io::AsyncReadExt::read(&mut caller.0, &mut byte);
    // rustls reports a close without `close_notify` as an error.
    assert!(matches!(
        tokio::time::timeout(crate::caller::LIMIT, read).await.expect("expected the end"),
        Ok(0) | Err(_)
    ));
}

#[tokio::test]
async fn drain_ends_at_once_when_only_a_handshake_is_in_progress() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let (files, certificate) = TlsFiles::create();
    let server = files.server(", handshake_timeout = \"1h\"");
    let gateway = Running::start(&server, origin.addr());
    let _stalled = Caller::connect(gateway.address).await;
    let http1 = client(certificate, "http/1.1");
    Caller(connect(gateway.address, &http1).await.unwrap()).request().await;
    let (code, _) = gateway.process.stop("-TERM");
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn sighup_replaces_certificate_of_new_connections() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let (files, old) = TlsFiles::create();
    let mut gateway = Running::start(&files.server(""), origin.addr());
    let old = client(old, "http/1.1");
    let mut caller = Caller(connect(gateway.address, &old).await.unwrap());
    caller.request().await;
    let new = client(files.replace(), "http/1.1");
    assert!(connect(gateway.address, &new).await.is_err());
    assert!(gateway.process.signal_and_read_line("-HUP").starts_with("reloaded "));
    Caller(connect(gateway.address, &new).await.unwrap()).request().await;
    assert!(connect(gateway.address, &old).await.is_err());
    caller.request().await;
    files.write("", "");
    let message = gateway.process.signal_and_read_line("-HUP");
    let expected = format!("cert: {:?}: expected a certificate in PEM; the previous", files.cert());
    assert!(message.contains(&expected), "{message}");
    Caller(connect(gateway.address, &new).await.unwrap()).request().await;
}

#[test]
fn invalid_certificate_files_exit_with_2_and_one_line() {
    let (files, _) = TlsFiles::create();
    let read = |path| fs::read_to_string(path).unwrap();
    let (cert, key) = (read(files.cert()), read(files.key()));
    files.replace();
    let other_key = read(files.key());
    let broken = cert.replace("-----END", "-----FIN");
    for (cert, key, expected) in [
        ("", &*key, "cert: CERT: expected a certificate in PEM"),
        (&*key, &*key, "cert: CERT: expected a certificate in PEM"),
        (&*broken, &*key, "cert: CERT: invalid PEM"),
        (&*cert, "", "key: KEY: expected an unencrypted private key in PEM"),
        (&*cert, &*cert, "key: KEY: expected an unencrypted private key in PEM"),
        (&*cert, &*other_key, "key: KEY: expected the private key of the certificate in `cert`"),
        (&*"a".repeat(2 << 20), &*key, "cert: CERT: larger than 1 MiB"),
    ] {
        files.write(cert, key);
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        let text = config(&files.server(""), ([127, 0, 0, 1], 1).into());
        fs::write(file.path(), &text).unwrap();
        let path = file.path().to_str().unwrap();
        let output = gateway(&["--config", path, "--listen", "127.0.0.1:0"]).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
        let message = message
            .replace(&format!("{:?}", files.cert()), "CERT")
            .replace(&format!("{:?}", files.key()), "KEY");
        let line = text.lines().position(|line| line.starts_with("tls")).unwrap() + 1;
        assert_eq!(message.trim(), format!("{path}:{line}: server.tls.{expected}"));
    }
}
