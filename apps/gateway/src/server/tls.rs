//! TLS for callers.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    ops::Range,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use toml::Spanned;

use super::config::TlsConfig;

const MAX_FILE_BYTES: u64 = 1 << 20;

/// A certificate or key that cannot be used.
#[derive(Debug)]
pub(crate) struct TlsError {
    /// The key of the configuration with the path.
    pub(crate) key: &'static str,
    /// The position of the path in the file of the configuration.
    pub(crate) span: Range<usize>,
    /// The path and the cause, as one line.
    pub(crate) message: String,
}

/// Accepts TLS connections.
pub(super) struct Acceptor {
    inner: TlsAcceptor,
    handshake_timeout: Duration,
}

impl Acceptor {
    /// Loads the certificate and the key.
    pub(super) fn load(config: &TlsConfig) -> Result<Self, TlsError> {
        let TlsConfig { cert, key, handshake_timeout } = config;
        let (cert, key) =
            (PemFile::new("server.tls.cert", cert), PemFile::new("server.tls.key", key));
        let cert_pem = cert.read()?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&cert_pem).collect();
        // The parser's errors contain lines of the file, so they are omitted.
        let chain = chain.map_err(|_| cert.error(&"invalid PEM"))?;
        if chain.is_empty() {
            return Err(cert.error(&"expected a certificate in PEM"));
        }
        let private_key = PrivateKeyDer::from_pem_slice(&key.read()?)
            .map_err(|_| key.error(&"expected an unencrypted private key in PEM"))?;
        let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private_key))
            .map_err(|cause| match cause {
                rustls::Error::InconsistentKeys(_) => {
                    key.error(&"expected the private key of the certificate in `cert`")
                }
                cause => cert.error(&cause),
            })?;
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { inner: Arc::new(server).into(), handshake_timeout: *handshake_timeout })
    }

    /// Performs the handshake.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let handshake = self.inner.accept(stream);
        tokio::time::timeout(self.handshake_timeout, handshake)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "handshake timeout"))?
    }
}

/// A file that a key of the configuration names.
struct PemFile<'a> {
    key: &'static str,
    path: &'a Spanned<PathBuf>,
}

impl<'a> PemFile<'a> {
    const fn new(key: &'static str, path: &'a Spanned<PathBuf>) -> Self {
        Self { key, path }
    }

    fn read(&self) -> Result<Vec<u8>, TlsError> {
        let mut bytes = Vec::new();
        File::open(self.path.as_ref())
            .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|cause| self.error(&format_args!("cannot read: {cause}")))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(self.error(&"larger than 1 MiB"));
        }
        Ok(bytes)
    }

    /// Creates an error, with control characters of the path escaped.
    fn error(&self, cause: &dyn fmt::Display) -> TlsError {
        let message = format!("{:?}: {cause}", self.path.as_ref().to_string_lossy());
        TlsError { key: self.key, span: self.path.span(), message }
    }
}
