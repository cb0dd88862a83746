//! The load generator: connections that are kept alive, with one request in flight on each.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use clap::ValueEnum;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

/// The kind of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// GET without a body
    Get,
    /// POST with 1 KiB of JSON
    Post,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    fn request(self, host: &str) -> Request<Full<Bytes>> {
        let request = Request::builder()
            .uri("/api/users/42?fields=name")
            .header(header::HOST, host)
            .header(header::USER_AGENT, "gateway_bench")
            .header(header::ACCEPT, "application/json");
        let request = match self {
            Self::Get => request.method(Method::GET).body(Full::default()),
            Self::Post => {
                let json = format!("{{\"text\":\"{}\"}}", "a".repeat(1024 - 11));
                let request = request.method(Method::POST);
                request.header(header::CONTENT_TYPE, "application/json").body(json.into())
            }
        };
        request.expect("a valid request")
    }
}

/// The number of responses by status.
pub(crate) type Statuses = BTreeMap<StatusCode, usize>;

/// Open connections to a proxy.
pub(crate) struct Connections {
    senders: Vec<SendRequest<Full<Bytes>>>,
    host: String,
}

impl Connections {
    pub(crate) async fn open(address: SocketAddr, number: usize) -> Self {
        let mut senders = Vec::with_capacity(number);
        for _ in 0..number {
            let stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let handshake = http1::handshake(TokioIo::new(stream)).await;
            let (sender, connection) = handshake.expect("a connection");
            tokio::spawn(connection);
            senders.push(sender);
        }
        Self { senders, host: address.to_string() }
    }

    /// Sends the requests, and reads all responses.
    pub(crate) async fn send(&mut self, kind: Kind, requests: usize) -> Statuses {
        let remaining = Arc::new(AtomicUsize::new(requests));
        let statuses = Arc::new(Mutex::new(Statuses::new()));
        let mut tasks = JoinSet::new();
        for mut sender in self.senders.drain(..) {
            let (remaining, statuses) = (Arc::clone(&remaining), Arc::clone(&statuses));
            let request = kind.request(&self.host);
            tasks.spawn(async move {
                let take = || remaining.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
                while take().is_ok() {
                    sender.ready().await.expect("an open connection");
                    let response = sender.send_request(request.clone()).await;
                    let (head, body) = response.expect("a response").into_parts();
                    body.collect().await.expect("a complete body");
                    let mut statuses = statuses.lock().unwrap_or_else(PoisonError::into_inner);
                    *statuses.entry(head.status).or_default() += 1;
                }
                sender
            });
        }
        self.senders = tasks.join_all().await;
        std::mem::take(&mut *statuses.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends the requests.
    ///
    /// # Panics
    /// Panics unless every response has the status 200.
    pub(crate) async fn send_successfully(&mut self, kind: Kind, requests: usize) {
        let statuses = self.send(kind, requests).await;
        assert_eq!(statuses, Statuses::from([(StatusCode::OK, requests)]));
    }
}
