//! Servers on loopback.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Starts a server that handles each connection with a function, and closes it afterwards.
pub(crate) async fn start<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The client may close the connection first.
            tokio::spawn(handle(stream));
        }
    });
    address
}

/// Starts a server that sends bytes before it reads. It closes the connection after the client.
pub(crate) async fn start_greeting(greeting: &'static [u8]) -> SocketAddr {
    start(move |mut stream| async move {
        stream.write_all(greeting).await?;
        read_to_end(&mut stream).await
    })
    .await
}

/// Starts a server that reads something, sends bytes and closes the connection.
pub(crate) async fn start_response(response: &'static [u8]) -> SocketAddr {
    start(move |mut stream| async move {
        read_some(&mut stream).await?;
        stream.write_all(response).await
    })
    .await
}

/// Reads until the client closes the connection.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> io::Result<()> {
    while read_some(stream).await? > 0 {}
    Ok(())
}

/// Reads bytes of a request, and returns their number.
pub(crate) async fn read_some(stream: &mut TcpStream) -> io::Result<usize> {
    stream.read(&mut [0; 4096]).await
}
