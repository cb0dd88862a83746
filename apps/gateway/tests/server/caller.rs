//! A caller on a raw connection.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The limit of each wait, so that a failing test ends.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) const REQUEST: &str = "GET /a/x HTTP/1.1\r\nhost: h\r\n\r\n";

pub(crate) struct Caller<S = TcpStream>(pub(crate) S);

impl Caller {
    pub(crate) async fn connect(gateway: SocketAddr) -> Self {
        Self(TcpStream::connect(gateway).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Caller<S> {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads until the received bytes end with this text.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let read = async {
            let mut bytes = Vec::new();
            while !bytes.ends_with(end.as_bytes()) {
                match self.0.read_u8().await {
                    Ok(byte) => bytes.push(byte),
                    Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&bytes)),
                }
            }
            String::from_utf8(bytes).unwrap()
        };
        timeout(LIMIT, read).await.expect("expected more bytes")
    }

    /// Reads until the gateway closes or resets the connection. Returns the bytes.
    pub(crate) async fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match timeout(LIMIT, self.0.read_to_end(&mut bytes)).await.expect("expected the end") {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => panic!("{error}"),
            _ => bytes,
        }
    }

    /// Sends a request and checks that it succeeds.
    pub(crate) async fn request(&mut self) {
        self.send(REQUEST).await;
        let response = self.read_until("ok").await;
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    }
}
