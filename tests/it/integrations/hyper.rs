//! hyper-util's client: http and https, HTTP/1.1 and HTTP/2.

use std::{sync::atomic::Ordering, time::Duration};

use http::{Request, Response, Version};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connect, HttpConnector},
    },
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore};
use scripted_origin::Script;
use seawall::{
    BoxError, Cause, Processed,
    classify::classify_error,
    find_source,
    hyper_util::TrackReuse,
    retry::{ReplayBody, RetriesExhausted},
    timeout::TimeoutLayer,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tower::{ServiceBuilder, ServiceExt};

use super::{app, fails_once, serve, serve_tls, stack, status};
use crate::support::sockets::origin;

type Body = ReplayBody<String>;

fn plain(http2: bool) -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).http2_only(http2).build_http()
}

fn https(roots: RootCertStore) -> HttpsConnector<HttpConnector> {
    let provider = rustls::crypto::ring::default_provider().into();
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.unwrap().with_root_certificates(roots).with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
    connector.enable_all_versions().build()
}

fn tls(roots: RootCertStore) -> Client<TrackReuse<HttpsConnector<HttpConnector>>, Body> {
    Client::builder(TokioExecutor::new()).build(TrackReuse::new(https(roots)))
}

async fn send<C>(
    client: Client<C, Body>,
    method: &str,
    url: String,
) -> Result<Response<()>, BoxError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let request = Request::builder().method(method).uri(url).body("hi".to_owned())?;
    let client = ServiceBuilder::new().layer(stack()).service(client);
    Ok(client.oneshot(request).await?.map(drop))
}

#[tokio::test]
async fn each_protocol_survives_an_upstream_that_fails_once() {
    for (http2, version) in [(false, Version::HTTP_11), (true, Version::HTTP_2)] {
        let (app, count) = fails_once();
        let url = format!("http://{}/", serve(app).await);
        let response = send(plain(http2), "PUT", url).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, version));
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }
    for (protocol, version) in [("http/1.1", Version::HTTP_11), ("h2", Version::HTTP_2)] {
        let (app, count) = fails_once();
        let (addr, roots) = serve_tls(app, protocol).await;
        let url = format!("https://localhost:{}/", addr.port());
        let response = send(tls(roots), "PUT", url).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, version));
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn a_post_over_tls_is_sent_once() {
    for protocol in ["http/1.1", "h2"] {
        let (app, count) = app(|_, _| status(502));
        let (addr, roots) = serve_tls(app, protocol).await;
        let url = format!("https://localhost:{}/", addr.port());
        assert_eq!(send(tls(roots), "POST", url).await.unwrap().status(), 502);
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}

/// The cause, and how often the request was sent.
fn told(error: &BoxError) -> (Cause, Processed, u32) {
    let failure = classify_error(&**error);
    let attempts = find_source::<RetriesExhausted>(&**error).map_or(1, |it| it.attempts().get());
    (failure.cause(), failure.processed(), attempts)
}

#[cfg(feature = "rustls-0_23")]
#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_told_and_not_tried_again() {
    let (addr, roots) = serve_tls(fails_once().0, "http/1.1").await;
    let url = format!("https://localhost:{}/", addr.port());
    let error = send(tls(RootCertStore::empty()), "GET", url).await.unwrap_err();
    assert_eq!(told(&error), (Cause::TlsCertificateError, Processed::No, 1));
    // It is for another name.
    let url = format!("https://127.0.0.1:{}/", addr.port());
    let error = send(tls(roots), "POST", url).await.unwrap_err();
    assert_eq!(told(&error), (Cause::TlsCertificateError, Processed::No, 1));
}

/// What a server of plain HTTP says to a greeting of TLS.
#[tokio::test]
async fn what_does_not_speak_tls_is_tried_again_and_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = stream.read(&mut [0; 4_096]).await;
        }
    });
    let url = format!("https://localhost:{port}/");
    let error = send(tls(RootCertStore::empty()), "POST", url).await.unwrap_err();
    assert_eq!(told(&error), (Cause::TlsProtocolError, Processed::No, 4));
}

/// With TLS 1.3 the handshake is over for the client before the server has seen its certificate.
#[cfg(feature = "rustls-0_23")]
#[tokio::test]
async fn an_alert_after_the_handshake_is_told_and_proves_nothing() {
    let io = std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired),
    );
    let failure = classify_error(&io);
    assert_eq!((failure.cause(), failure.processed()), (Cause::TlsAlertReceived, Processed::Maybe));
}

/// Connectors are services, so layers go around them; the client wants a future that is `Unpin`. Unlike
/// `HttpConnector::set_connect_timeout`, such a limit covers the handshake.
#[tokio::test]
async fn a_timeout_around_a_connector_is_one_of_connecting_and_proves_that_nothing_was_sent() {
    // Greeted by TLS, it waits for the rest of a request.
    let origin = origin(Script::Silent).await;
    let connector = ServiceBuilder::new()
        .map_future(Box::pin)
        .layer(TimeoutLayer::new(Duration::from_millis(50)))
        .service(https(RootCertStore::empty()));
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let url = format!("https://localhost:{}/", origin.addr().port());
    let error = send(client, "POST", url).await.unwrap_err();
    assert_eq!(told(&error), (Cause::ConnectionTimeout, Processed::No, 4));
    assert_eq!(origin.requests(), 0);
}
