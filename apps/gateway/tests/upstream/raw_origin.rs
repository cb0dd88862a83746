//! Origins and callers on raw sockets.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use http::Uri;

/// Only prevents that a failing test hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A server that passes each connection to a function, in a thread of its own.
pub(crate) struct RawOrigin {
    pub(crate) address: SocketAddr,
    /// One item for each connection whose function has returned.
    pub(crate) finished: Receiver<()>,
}

impl RawOrigin {
    pub(crate) fn start(serve: impl Fn(&mut TcpStream, usize) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (finish, finished) = channel();
        thread::spawn(move || {
            for (number, connection) in listener.incoming().enumerate() {
                let (mut connection, serve, finish) =
                    (connection.unwrap(), serve.clone(), finish.clone());
                thread::spawn(move || {
                    serve(&mut connection, number);
                    let _ = finish.send(());
                });
            }
        });
        Self { address, finished }
    }

    /// Starts a server that sends the same bytes to each request.
    pub(crate) fn responding(response: impl Into<Vec<u8>>) -> Self {
        let response = response.into();
        Self::start(move |connection, _| {
            while read_head(connection) {
                let _ = connection.write_all(&response);
            }
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn wait_until_connection_ends(&self) {
        self.finished.recv_timeout(LIMIT).expect("the connection is still open");
    }
}

/// Reads the head of a request without a body. Returns `false` if the connection ended.
pub(crate) fn read_head(connection: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return false,
        }
    }
    true
}

/// Sends a request to the service `m` by HTTP/1.1. Returns all bytes of the response.
pub(crate) fn call(gateway: &str, method: &str) -> String {
    let authority = gateway.parse::<Uri>().unwrap().authority().unwrap().to_string();
    let mut connection = TcpStream::connect(&authority).unwrap();
    connection.set_read_timeout(Some(LIMIT)).unwrap();
    let request =
        format!("{method} /m/x HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut response = Vec::new();
    // The gateway may abort the response.
    let _ = connection.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}
