//! The protocol version of requests to upstreams.

use crate::{ConfiguredGateway, config_file, tls_origin::Certificates};

/// Returns the version with which a server received a request, if it offers these protocols.
async fn version(http2: bool, protocols: &[&str]) -> (u16, String) {
    let certificates = Certificates::issue("localhost");
    let authority = config_file(&certificates.authority_pem());
    let url = format!("https://localhost:{}", certificates.serve(protocols).await.port());
    let gateway = ConfiguredGateway::start_with_env(
        &format!("[[service]]\nname = \"m\"\nupstream = [{{ url = \"{url}\", http2 = {http2} }}]"),
        &[("SSL_CERT_FILE", authority.path().to_str().unwrap())],
    );
    gateway.request("GET").await
}

#[tokio::test]
async fn https_upstream_receives_http2_when_set_and_selected() {
    assert_eq!(version(true, &["h2", "http/1.1"]).await, (200, "HTTP/2.0".into()));
    assert_eq!(version(true, &["h2"]).await, (200, "HTTP/2.0".into()));
    assert_eq!(version(true, &["http/1.1"]).await, (200, "HTTP/1.1".into()));
    assert_eq!(version(true, &[]).await, (200, "HTTP/1.1".into()));
}

#[tokio::test]
async fn https_upstream_receives_http1_by_default() {
    assert_eq!(version(false, &["h2", "http/1.1"]).await, (200, "HTTP/1.1".into()));
}
