//! Requests over raw connections.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// The time after which a missing response fails the test.
const LIMIT: Duration = Duration::from_secs(30);

/// A response. The names of its fields are in lower case.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    fn parse(head: &str, body: &str) -> Self {
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.into(), body: body.into() }
    }

    /// Returns the values of a field.
    pub(crate) fn fields(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        let named = fields.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim()).collect()
    }

    /// Asserts that the gateway refused a request for an upstream. Returns the sentence.
    pub(crate) fn service_refusal(&self, status: u16) -> String {
        assert_eq!(
            self.fields("proxy-status"),
            ["seawall-gateway;error=http_request_denied"],
            "{self:?}"
        );
        self.refusal(status)
    }

    /// Asserts the status and the form of a refusal. Returns its sentence.
    pub(crate) fn refusal(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.fields("content-type"), ["application/problem+json"]);
        assert_eq!(self.fields("cache-control"), ["no-store"]);
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], status);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.ends_with('.') && !detail.contains('\n'), "{detail}");
        detail.to_owned()
    }
}

/// Sends a request, such as `GET /a`, with these fields and `Host`, unless it is one of them.
pub(crate) async fn send(to: SocketAddr, request: &str, fields: &[&str]) -> Reply {
    send_from(Ipv4Addr::LOCALHOST.into(), to, request, fields).await
}

/// Sends a request from an address of this host.
pub(crate) async fn send_from(
    from: IpAddr,
    to: SocketAddr,
    request: &str,
    fields: &[&str],
) -> Reply {
    let mut connection = connect(from, to, request, fields).await;
    let mut bytes = Vec::new();
    timeout(LIMIT, connection.read_to_end(&mut bytes)).await.unwrap().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Reply::parse(head, body)
}

/// Sends a request and reads the head of the response. Returns the open connection.
pub(crate) async fn open(from: IpAddr, to: SocketAddr, request: &str) -> (Reply, TcpStream) {
    let mut connection = connect(from, to, request, &[]).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(LIMIT, connection.read_u8()).await.unwrap().unwrap());
    }
    (Reply::parse(std::str::from_utf8(&head).unwrap(), ""), connection)
}

async fn connect(from: IpAddr, to: SocketAddr, request: &str, fields: &[&str]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // Only if it is needed, because a bound port stays reserved for a while.
    if from != IpAddr::from(Ipv4Addr::LOCALHOST) {
        socket.bind((from, 0).into()).unwrap();
    }
    let mut connection = socket.connect(to).await.unwrap();
    let mut lines = vec![format!("{request} HTTP/1.1"), "connection: close".into()];
    if !fields.iter().any(|field| field.starts_with("host:")) {
        lines.push(format!("host: {to}"));
    }
    lines.extend(fields.iter().map(ToString::to_string));
    if !request.starts_with("GET") {
        lines.push("content-length: 0".into());
    }
    let text = lines.join("\r\n") + "\r\n\r\n";
    connection.write_all(text.as_bytes()).await.unwrap();
    connection
}
