//! An upstream whose streamed response ends when the test ends it.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
};

/// The first and the last chunk of the response.
pub(crate) const FIRST: &str = "first\r\n";
pub(crate) const LAST: &str = "last!\r\n0\r\n\r\n";

pub(crate) struct StreamOrigin {
    pub(crate) address: SocketAddr,
    end: Arc<Notify>,
}

impl StreamOrigin {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let end = Arc::new(Notify::new());
        let on_end = Arc::clone(&end);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(respond(stream, Arc::clone(&on_end)));
            }
        });
        Self { address, end }
    }

    /// Ends one response, the current or the next.
    pub(crate) fn end_response(&self) {
        self.end.notify_one();
    }
}

/// Starts an upstream whose response to its only request never ends. The receiver gets a message
/// when the gateway closes the connection.
pub(crate) async fn start_endless() -> (SocketAddr, oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, closed) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while stream.write_all(&[b'a'; 16_384]).await.is_ok() {}
        let _ = sender.send(());
    });
    (address, closed)
}

async fn read_request_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

/// Reads the head of a request, and streams the response.
async fn respond(mut stream: TcpStream, end: Arc<Notify>) {
    read_request_head(&mut stream).await;
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(format!("{head}5\r\n{FIRST}").as_bytes()).await.unwrap();
    end.notified().await;
    // The gateway may be gone.
    let _ = stream.write_all(format!("5\r\n{LAST}").as_bytes()).await;
}
