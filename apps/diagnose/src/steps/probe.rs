//! Second connections, which find whether the port serves the other of HTTP and TLS.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use url::Host;

use super::tls;
use crate::{protocol, protocol::Protocol, wire::Wire};

/// The maximum duration of a probe.
const MAX_DURATION: Duration = Duration::from_secs(2);

/// Returns whether the server responds to a TLS handshake with a record of TLS.
pub(super) async fn speaks_tls(peer: SocketAddr, host: &Host<String>, limit: Duration) -> bool {
    let handshake = async {
        let (stream, record) = Wire::new(TcpStream::connect(peer).await?);
        // The certificate does not matter.
        let _ = tls::connect(stream, host, true).await;
        io::Result::Ok(matches!(record.get().first[..], [0x15 | 0x16, 3, ..]))
    };
    matches!(timeout(limit.min(MAX_DURATION), handshake).await, Ok(Ok(true)))
}

/// Returns whether the server responds to a plain request. The request is `HEAD /` without the
/// headers of the user, because it is not encrypted.
pub(super) async fn speaks_http(peer: SocketAddr, limit: Duration) -> bool {
    let exchange = async {
        let mut stream = TcpStream::connect(peer).await?;
        let head = format!("HEAD / HTTP/1.1\r\nhost: {peer}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let mut first = [0; 5];
        stream.read_exact(&mut first).await?;
        io::Result::Ok(protocol::identify(&first) == Some(Protocol::Http1))
    };
    matches!(timeout(limit.min(MAX_DURATION), exchange).await, Ok(Ok(true)))
}
