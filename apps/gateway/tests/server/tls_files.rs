//! Certificates in temporary files.

use std::{fs, sync::Arc};

use rcgen::{CertifiedKey, KeyPair};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};
use tempfile::TempDir;

/// The files of a server's certificate and key.
pub(crate) struct TlsFiles {
    /// Deleted on drop.
    folder: TempDir,
}

impl TlsFiles {
    /// Writes a new certificate. Returns the files, and the certificate for the client.
    pub(crate) fn create() -> (Self, CertificateDer<'static>) {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        let certificate = files.replace();
        (files, certificate)
    }

    /// Replaces the certificate.
    pub(crate) fn replace(&self) -> CertificateDer<'static> {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        self.write(&cert.pem(), &KeyPair::serialize_pem(&signing_key));
        cert.der().clone()
    }

    pub(crate) fn write(&self, cert: &str, key: &str) {
        fs::write(self.cert(), cert).unwrap();
        fs::write(self.key(), key).unwrap();
    }

    pub(crate) fn cert(&self) -> String {
        format!("{}/cert.pem", self.folder.path().display())
    }

    pub(crate) fn key(&self) -> String {
        format!("{}/key.pem", self.folder.path().display())
    }

    /// Returns the lines of `[server]`. `settings` are additional keys of `tls`.
    pub(crate) fn server(&self, settings: &str) -> String {
        format!("tls = {{ cert = {:?}, key = {:?}{settings} }}", self.cert(), self.key())
    }
}

/// Returns a client that trusts one certificate.
pub(crate) fn client(certificate: CertificateDer<'static>, alpn: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.into()];
    Arc::new(config)
}
