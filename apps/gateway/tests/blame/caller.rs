//! Callers on raw sockets.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
};

use crate::{LIMIT, support::GatewayProcess};

pub(crate) struct Caller(TcpStream);

impl Caller {
    /// Sends the head of a POST to the service `m0`, and the start of its body.
    pub(crate) fn post(gateway: &GatewayProcess, length: usize, start: &str) -> Self {
        Self::send(gateway, &format!("POST /m0/x HTTP/1.1\r\ncontent-length: {length}"), start)
    }

    /// Sends a complete POST to the service `m0`.
    pub(crate) fn complete(gateway: &GatewayProcess, body: &str) -> Self {
        Self::post(gateway, body.len(), body)
    }

    /// Sends a head, to which it adds `Host`, and the start of the body.
    pub(crate) fn send(gateway: &GatewayProcess, head: &str, body: &str) -> Self {
        let mut stream = TcpStream::connect(gateway.url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let end = "host: localhost\r\nconnection: close\r\n\r\n";
        // The gateway may respond before it has received the whole body.
        let _ = stream.write_all(format!("{head}\r\n{end}{body}").as_bytes());
        Self(stream)
    }

    /// Ends the connection in the middle of the body. Returns after the gateway has ended it too.
    pub(crate) fn break_off(self) {
        self.0.shutdown(Shutdown::Write).unwrap();
        self.response();
    }

    /// Returns the response.
    pub(crate) fn response(mut self) -> String {
        let mut bytes = Vec::new();
        let _ = self.0.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
