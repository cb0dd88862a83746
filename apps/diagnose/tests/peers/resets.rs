//! Connections that the server resets or closes.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    program::{json, last_detail, text},
    server::{read_some, start},
};

/// Reads the request, sends bytes, and resets the connection once the client has read them.
async fn reset_after(mut stream: TcpStream, response: &'static [u8]) -> io::Result<()> {
    read_some(&mut stream).await?;
    stream.write_all(response).await?;
    // A reset discards the bytes that the client has not read yet.
    wait_until_read(&stream).await;
    stream.set_zero_linger()
}

/// Waits until the kernel has no unread bytes for the client. Linux reports their number.
async fn wait_until_read(stream: &TcpStream) {
    let port = |address: io::Result<SocketAddr>| format!(":{:04X}", address.unwrap().port());
    let (client, server) = (port(stream.peer_addr()), port(stream.local_addr()));
    loop {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = rows.find(|row| row[1].ends_with(&client) && row[2].ends_with(&server));
        // The columns of a row: number, local and remote address, state, queues.
        if row.is_none_or(|row| row[4].ends_with(":00000000")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn reset_is_named_with_its_time() {
    for (response, cause, detail) in [
        (
            &b""[..],
            "connection_terminated",
            "the server reset the connection (RST) after the request was sent, and before any byte of the response",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncont",
            "connection_terminated",
            "the server reset the connection (RST) after 21 bytes, before the response headers were complete",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
            "http_response_incomplete",
            "200 OK over HTTP/1.1, but the body ended early after 3 B: the server reset the connection (RST)",
        ),
    ] {
        let address = start(move |stream| reset_after(stream, response)).await;
        let url = format!("http://{address}/");
        let report = json(&[&url]).await;
        assert_eq!(report["failure"]["cause"], cause, "{report}");
        assert_eq!(report["failure"]["connection_end"], "reset", "{report}");
        assert_eq!(last_detail(&report), detail);
        let text = text(&[&url]).await;
        assert!(text.contains("(RST)") && !text.contains("keep-alive"), "{text}");
    }
}

#[tokio::test]
async fn reset_is_named_in_tls_handshake() {
    let address = start(|stream| reset_after(stream, b"")).await;
    let report = json(&[&format!("https://{address}/")]).await;
    assert_eq!(report["failure"]["cause"], "connection_terminated", "{report}");
    assert_eq!(report["failure"]["processed"], "no", "{report}");
    assert_eq!(
        last_detail(&report),
        "the server reset the connection (RST) without a response to the handshake"
    );
}

#[tokio::test]
async fn close_is_distinguished_from_reset() {
    let address = start(|mut stream| async move {
        read_some(&mut stream).await?;
        Ok(())
    })
    .await;
    for (scheme, detail) in [
        (
            "http",
            "the server closed the connection after the request was sent, and before any byte of the response",
        ),
        ("https", "the server closed the connection without a response to the handshake"),
    ] {
        let report = json(&[&format!("{scheme}://{address}/")]).await;
        assert_eq!(report["failure"]["connection_end"], "closed", "{report}");
        assert_eq!(last_detail(&report), detail);
    }
}
