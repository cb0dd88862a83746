//! The certificates of upstreams, and the authorities that the gateway trusts.

use std::fs;

use tempfile::TempDir;

use crate::{ConfiguredGateway, config, start_error, tls_origin::Certificates};

/// The response of the test server to a request over HTTP/1.1.
const HTTP_11: &str = "HTTP/1.1";

/// Writes a file to a temporary folder. Returns its path.
fn write(folder: &TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Sends a request to a server with these certificates. Returns the status, and the cause or the body.
async fn request(
    certificates: &Certificates,
    settings: &str,
    variables: &[(&str, &str)],
) -> (u16, String) {
    let no_alpn = &[];
    let address = certificates.serve(no_alpn).await;
    let config = config(&format!("https://localhost:{}", address.port()), settings);
    ConfiguredGateway::start_with_env(&config, variables).request("GET").await
}

#[tokio::test]
async fn unknown_authority_is_reported_as_certificate_error() {
    let certificates = Certificates::issue("localhost");
    let answer = request(&certificates, "", &[]).await;
    assert_eq!(answer, (502, "tls_certificate_error".into()));
}

#[tokio::test]
async fn authority_is_trusted_when_file_names_it() {
    let certificates = Certificates::issue("localhost");
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "ca.pem", &certificates.authority_pem());
    let settings = format!("[connections]\nca_file = \"{path}\"");
    let folder = folder.path().to_str().unwrap();
    let trusted = (200, HTTP_11.to_owned());
    assert_eq!(request(&certificates, &settings, &[]).await, trusted);
    assert_eq!(request(&certificates, "", &[("SSL_CERT_FILE", &path)]).await, trusted);
    assert_eq!(request(&certificates, "", &[("SSL_CERT_DIR", folder)]).await, trusted);
}

#[tokio::test]
async fn expired_or_foreign_certificate_is_reported_when_authority_is_trusted() {
    for certificates in [Certificates::issue_expired("localhost"), Certificates::issue("elsewhere")]
    {
        let folder = TempDir::new().unwrap();
        let path = write(&folder, "ca.pem", &certificates.authority_pem());
        let answer = request(&certificates, "", &[("SSL_CERT_FILE", &path)]).await;
        assert_eq!(answer, (502, "tls_certificate_error".into()));
    }
}

#[test]
fn unusable_authority_file_is_reported_at_start() {
    let folder = TempDir::new().unwrap();
    let begin = "-----BEGIN CERTIFICATE-----\n";
    let end = "-----END CERTIFICATE-----\n";
    let above_size_limit = "#".repeat(2 << 20);
    for (content, expected) in [
        (None, "cannot read `"),
        (Some(""), "expected certificates in PEM in `"),
        (Some("no PEM"), "expected certificates in PEM in `"),
        (Some(&*format!("{begin}!!!!\n{end}")), "expected certificates in PEM in `"),
        (Some(&*format!("{begin}AAAA\n{end}")), "expected certificate authorities in `"),
        (Some(&*above_size_limit), "cannot read `"),
    ] {
        let path = folder.path().join("ca.pem");
        let path = content.map_or_else(
            || folder.path().join("missing.pem").to_str().unwrap().to_owned(),
            |content| {
                fs::write(&path, content).unwrap();
                path.to_str().unwrap().to_owned()
            },
        );
        let settings = format!("[connections]\nca_file = \"{path}\"");
        let message = start_error(&config("https://localhost:1", &settings), &[]);
        assert!(message.starts_with(&format!("FILE:2: ca_file: {expected}")), "{message}");
        let message = start_error(&config("https://localhost:1", ""), &[("SSL_CERT_FILE", &path)]);
        assert!(message.contains("SSL_CERT_FILE: expected certificates in PEM"), "{message}");
    }
}
