//! The certificate authorities that the gateway trusts.

use std::{
    env,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde::Deserialize;

use super::setup_error::SetupError;

const MAX_FILE_BYTES: u64 = 1 << 20;

/// Returns the TLS settings.
///
/// Trusts Mozilla's authorities and those of the system. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace
/// both, as in OpenSSL. `ca_file` adds to either.
///
/// # Errors
/// Returns an error if one of the variables is set, and no certificate is found there.
pub(super) fn client_config(ca_file: Option<&CaFile>) -> Result<ClientConfig, SetupError> {
    let tls_error = |error: rustls::Error| SetupError(format!("TLS: {error}"));
    let mut roots = default_roots()?;
    for certificate in ca_file.map(|CaFile(certificates)| certificates).into_iter().flatten() {
        roots.add(certificate.clone()).map_err(tls_error)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(tls_error)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn default_roots() -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore::empty();
    let loaded = rustls_native_certs::load_native_certs();
    // A system's store may contain certificates that rustls cannot use.
    let (usable, _) = roots.add_parsable_certificates(loaded.certs);
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let Some(variable) = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find(is_set) else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    if usable == 0 {
        let error = loaded.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(SetupError(format!("{variable}: expected certificates in PEM{error}")));
    }
    Ok(roots)
}

/// Certificate authorities from a file.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "PathBuf")]
pub(super) struct CaFile(Vec<CertificateDer<'static>>);

impl TryFrom<PathBuf> for CaFile {
    type Error = String;

    fn try_from(path: PathBuf) -> Result<Self, String> {
        let file = path.display();
        let text = read(&path).map_err(|error| format!("cannot read `{file}`: {error}"))?;
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("expected certificates in PEM in `{file}`: {error}"))?;
        if certificates.is_empty() {
            return Err(format!("expected certificates in PEM in `{file}`"));
        }
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|error| {
                format!("expected certificate authorities in `{file}`: {error}")
            })?;
        }
        Ok(Self(certificates))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    Ok(bytes)
}
