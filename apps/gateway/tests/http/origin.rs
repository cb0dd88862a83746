//! An origin that records each request.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A request as the origin received it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) head: String,
    /// The body, with chunks joined.
    pub(crate) body: String,
    /// The trailer fields.
    pub(crate) trailers: String,
}

impl Received {
    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

pub(crate) type Answer = fn(&Received, &mut TcpStream);

/// Runs until the test ends.
pub(crate) struct Origin {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Origin {
    /// Starts an origin that answers `ok`.
    pub(crate) fn start() -> Self {
        Self::answer(|_, stream| write(stream, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"))
    }

    pub(crate) fn answer(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let received = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &received, answer));
            }
        });
        Self { port, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Returns the only request.
    pub(crate) fn only_request(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received[0].clone()
    }
}

pub(crate) fn write(stream: &mut TcpStream, response: &str) {
    let _ = stream.write_all(response.as_bytes());
}

/// Reads requests one after another, as RFC 9112 delimits them.
fn serve(mut stream: TcpStream, received: &Mutex<Vec<Received>>, answer: Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read_request(&mut reader) {
        received.lock().unwrap().push(request.clone());
        answer(&request, &mut stream);
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Received> {
    let head = read_lines(reader)?;
    let field = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.to_owned());
        assert!(values.next().is_none(), "two {name} in {head}");
        value
    };
    let (coding, length) = (field("transfer-encoding"), field("content-length"));
    assert!(coding.is_none() || length.is_none(), "two lengths in {head}");
    let mut request = Received { head: head.clone(), ..Received::default() };
    if coding.is_some() {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            if size == 0 {
                request.trailers = read_lines(reader)?;
                return Some(request);
            }
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            request.body += &String::from_utf8_lossy(&chunk[..size]);
        }
    }
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}

/// Reads lines up to an empty one. Returns `None` at the end of the connection.
fn read_lines(reader: &mut impl BufRead) -> Option<String> {
    let mut lines = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some(lines);
        }
        lines += &line;
    }
}
