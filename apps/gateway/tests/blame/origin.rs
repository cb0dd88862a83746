//! Upstreams on raw sockets.

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use crate::LIMIT;

/// A server that responds to each complete request.
pub(crate) struct Origin {
    pub(crate) url: String,
    requests: Arc<AtomicUsize>,
    heads: Receiver<String>,
}

impl Origin {
    /// Starts a server that sends `response` to each request. Each connection serves one request.
    pub(crate) fn responding(response: &'static str) -> Self {
        Self::start(move |connection| {
            let _ = connection.write_all(response.as_bytes());
        })
    }

    /// Starts a server that passes each complete request to a function.
    pub(crate) fn start(respond: impl Fn(&mut TcpStream) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (sender, heads) = channel();
        let count = Arc::clone(&requests);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (mut connection, respond) = (connection.unwrap(), respond.clone());
                let (sender, count) = (sender.clone(), Arc::clone(&count));
                thread::spawn(move || {
                    if read_request(&mut connection, &sender, &count).is_ok() {
                        respond(&mut connection);
                    }
                });
            }
        });
        Self { url, requests, heads }
    }

    /// Returns the number of request heads that arrived.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn forget_requests(&self) {
        self.requests.store(0, Ordering::SeqCst);
    }

    pub(crate) fn wait_for_head(&self) -> String {
        self.heads.recv_timeout(LIMIT).expect("no request arrived")
    }
}

/// Reads a request with a `Content-Length`.
fn read_request(
    connection: &mut TcpStream,
    heads: &Sender<String>,
    count: &AtomicUsize,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).map_err(|_| ErrorKind::InvalidData)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    count.fetch_add(1, Ordering::SeqCst);
    let _ = heads.send(head);
    connection.read_exact(&mut body)
}
