//! TLS for callers.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
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

use super::config::TlsConfig;

const MAX_FILE_BYTES: u64 = 1 << 20;

/// A certificate or key that cannot be used, as one line.
#[derive(Debug)]
pub(crate) struct TlsError(String);

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
        let cert_pem = read(cert, "cert")?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&cert_pem).collect();
        // The parser's errors contain lines of the file, so they are omitted.
        let chain = chain.map_err(|_| error("cert", cert, &"invalid PEM"))?;
        if chain.is_empty() {
            return Err(error("cert", cert, &"expected a certificate in PEM"));
        }
        let private_key = PrivateKeyDer::from_pem_slice(&read(key, "key")?)
            .map_err(|_| error("key", key, &"expected an unencrypted private key in PEM"))?;
        let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private_key))
            .map_err(|cause| error("cert", cert, &cause))?;
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

fn read(path: &Path, name: &str) -> Result<Vec<u8>, TlsError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|cause| error(name, path, &cause))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(error(name, path, &"larger than 1 MiB"));
    }
    Ok(bytes)
}

/// Creates an error, with control characters of the path escaped.
fn error(name: &str, path: &Path, cause: &dyn fmt::Display) -> TlsError {
    TlsError(format!("{name} {:?}: {cause}", path.to_string_lossy()))
}
