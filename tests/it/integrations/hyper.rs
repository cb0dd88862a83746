//! hyper-util's client with HTTP/1.1 and HTTP/2, with and without TLS.

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

use super::{app_failing_once, counting_app, empty_response, serve, serve_tls, stack};
use crate::support::sockets::origin;

type Body = ReplayBody<String>;

fn plain_client(http2: bool) -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).http2_only(http2).build_http()
}

fn https_connector(roots: RootCertStore) -> HttpsConnector<HttpConnector> {
    let provider = rustls::crypto::ring::default_provider().into();
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.unwrap().with_root_certificates(roots).with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
    connector.enable_all_versions().build()
}

fn tls_client(roots: RootCertStore) -> Client<TrackReuse<HttpsConnector<HttpConnector>>, Body> {
    Client::builder(TokioExecutor::new()).build(TrackReuse::new(https_connector(roots)))
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
async fn stack_retries_put_over_each_protocol() {
    for (http2, version) in [(false, Version::HTTP_11), (true, Version::HTTP_2)] {
        let (app, count) = app_failing_once();
        let url = format!("http://{}/", serve(app).await);
        let response = send(plain_client(http2), "PUT", url).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, version));
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }
    for (protocol, version) in [("http/1.1", Version::HTTP_11), ("h2", Version::HTTP_2)] {
        let (app, count) = app_failing_once();
        let (addr, roots) = serve_tls(app, protocol).await;
        let url = format!("https://localhost:{}/", addr.port());
        let response = send(tls_client(roots), "PUT", url).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, version));
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn stack_sends_post_over_tls_once() {
    for protocol in ["http/1.1", "h2"] {
        let (app, count) = counting_app(|_, _| empty_response(502));
        let (addr, roots) = serve_tls(app, protocol).await;
        let url = format!("https://localhost:{}/", addr.port());
        assert_eq!(send(tls_client(roots), "POST", url).await.unwrap().status(), 502);
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}

/// Returns the cause, the processing state and the number of attempts.
fn classification(error: &BoxError) -> (Cause, Processed, u32) {
    let failure = classify_error(&**error);
    let attempts = find_source::<RetriesExhausted>(&**error).map_or(1, |it| it.attempts().get());
    (failure.cause(), failure.processed(), attempts)
}

#[cfg(feature = "rustls-0_23")]
#[tokio::test]
async fn stack_does_not_retry_untrusted_certificate() {
    let (addr, roots) = serve_tls(app_failing_once().0, "http/1.1").await;
    let url = format!("https://localhost:{}/", addr.port());
    let error = send(tls_client(RootCertStore::empty()), "GET", url).await.unwrap_err();
    assert_eq!(classification(&error), (Cause::TlsCertificateError, Processed::No, 1));
    // The certificate is valid for another name.
    let url = format!("https://127.0.0.1:{}/", addr.port());
    let error = send(tls_client(roots), "POST", url).await.unwrap_err();
    assert_eq!(classification(&error), (Cause::TlsCertificateError, Processed::No, 1));
}

/// The server responds to the `ClientHello` with plain HTTP.
#[tokio::test]
async fn stack_retries_when_server_does_not_use_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = stream.read(&mut [0; 4_096]).await;
        }
    });
    let url = format!("https://localhost:{port}/");
    let error = send(tls_client(RootCertStore::empty()), "POST", url).await.unwrap_err();
    assert_eq!(classification(&error), (Cause::TlsProtocolError, Processed::No, 4));
}

/// In TLS 1.3, the client completes the handshake before the server has verified its certificate.
#[cfg(feature = "rustls-0_23")]
#[tokio::test]
async fn alert_after_handshake_may_be_processed() {
    let io = std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired),
    );
    let failure = classify_error(&io);
    assert_eq!((failure.cause(), failure.processed()), (Cause::TlsAlertReceived, Processed::Maybe));
}

/// Connectors are services and accept layers. The client requires their futures to be `Unpin`.
/// Unlike `HttpConnector::set_connect_timeout`, this timeout includes the TLS handshake.
#[tokio::test]
async fn connector_timeout_is_connection_timeout_and_not_processed() {
    // The origin takes the ClientHello for part of a request and waits for the rest.
    let origin = origin(Script::Silent).await;
    let connector = ServiceBuilder::new()
        .map_future(Box::pin)
        .layer(TimeoutLayer::new(Duration::from_millis(50)))
        .service(https_connector(RootCertStore::empty()));
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let url = format!("https://localhost:{}/", origin.addr().port());
    let error = send(client, "POST", url).await.unwrap_err();
    assert_eq!(classification(&error), (Cause::ConnectionTimeout, Processed::No, 4));
    assert_eq!(origin.requests(), 0);
}
