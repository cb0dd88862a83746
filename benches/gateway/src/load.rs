//! The load generator: connections that are kept alive, with one request in flight on each.

mod connection;
mod kind;

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use connection::Connection;
use http::StatusCode;
use tokio::task::JoinSet;

pub(crate) use connection::Response;
pub(crate) use kind::Kind;

/// The result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Status(StatusCode),
    /// A status 200 with another body than that of the origin.
    OtherBody,
    /// The connection closed before the end of the response.
    Closed,
}

/// The number of requests by result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcomes(BTreeMap<Outcome, usize>);

impl Outcomes {
    pub(crate) fn successes(&self) -> usize {
        self.0.get(&Outcome::Status(StatusCode::OK)).copied().unwrap_or_default()
    }

    pub(crate) fn total(&self) -> usize {
        self.0.values().sum()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (&outcome, count) in &other.0 {
            *self.0.entry(outcome).or_default() += count;
        }
    }

    fn count(&mut self, outcome: Outcome) {
        *self.0.entry(outcome).or_default() += 1;
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures =
            self.0.iter().filter(|(outcome, _)| **outcome != Outcome::Status(StatusCode::OK));
        let failures: Vec<String> = failures
            .map(|(outcome, count)| match outcome {
                Outcome::Status(status) => format!("{count} × {}", status.as_u16()),
                Outcome::OtherBody => format!("{count} × other body"),
                Outcome::Closed => format!("{count} × closed"),
            })
            .collect();
        f.write_str(&if failures.is_empty() { "none".to_owned() } else { failures.join(", ") })
    }
}

/// Open connections to a proxy.
pub(crate) struct Connections(Vec<Connection>);

impl Connections {
    pub(crate) async fn open(address: SocketAddr, origin: SocketAddr, number: usize) -> Self {
        let mut connections = Vec::with_capacity(number);
        for _ in 0..number {
            connections.push(Connection::open(address, origin).await);
        }
        Self(connections)
    }

    /// Opens the connections again that the proxy closed because they were idle.
    pub(crate) async fn open_closed(&mut self) {
        for connection in &mut self.0 {
            connection.open_again_if_closed().await;
        }
    }

    /// Sends one request on the first connection. Returns nothing if the connection closed.
    pub(crate) async fn send_once(&mut self, kind: Kind) -> Option<Response> {
        let connection = self.0.first_mut()?;
        let request = connection.request(kind);
        connection.send(request).await
    }

    /// Sends the requests, and reads all responses. A closed connection is opened again.
    pub(crate) async fn send(&mut self, kind: Kind, requests: usize) -> Outcomes {
        let remaining = Arc::new(AtomicUsize::new(requests));
        let outcomes = Arc::new(Mutex::new(Outcomes::default()));
        let mut tasks = JoinSet::new();
        for mut connection in self.0.drain(..) {
            let (remaining, outcomes) = (Arc::clone(&remaining), Arc::clone(&outcomes));
            let request = connection.request(kind);
            tasks.spawn(async move {
                let take = || remaining.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
                while take().is_ok() {
                    let outcome = match connection.send(request.clone()).await {
                        Some(it) if it.status == StatusCode::OK && !kind.expects(&it.body) => {
                            Outcome::OtherBody
                        }
                        Some(response) => Outcome::Status(response.status),
                        None => Outcome::Closed,
                    };
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).count(outcome);
                    connection.open_again_if_closed().await;
                }
                connection
            });
        }
        self.0 = tasks.join_all().await;
        std::mem::take(&mut *outcomes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends the requests to the proxy of this name.
    ///
    /// # Panics
    /// Panics unless every response has the status 200 and the body of the origin.
    pub(crate) async fn send_successfully(&mut self, name: &str, kind: Kind, requests: usize) {
        let outcomes = self.send(kind, requests).await;
        assert_eq!(
            outcomes.successes(),
            requests,
            "expected no failure of {name}, found {outcomes}"
        );
    }
}
