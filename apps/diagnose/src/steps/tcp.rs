//! The connection: all addresses at once, the first in order that answers is used.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    time::Duration,
};

use seawall::Cause;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::unsent;
use crate::{
    escape,
    report::{Found, Line, Outcome},
};

/// How long the other addresses are waited for once one has answered.
const GRACE: Duration = Duration::from_millis(300);

/// What became of one address; `None`: it has not answered.
type Tried = Option<(io::Result<TcpStream>, Duration)>;

pub(crate) async fn connect(
    addresses: Vec<SocketAddr>,
    limit: Duration,
) -> Found<(TcpStream, SocketAddr)> {
    let started = Instant::now();
    let mut tried = try_all(&addresses, started + limit).await;
    let parts = addresses
        .iter()
        .zip(&tried)
        .map(|(address, tried)| (address.to_string(), line(tried.as_ref(), started.elapsed())));
    // One address alone stands in the step's own line.
    let parts = if addresses.len() > 1 { parts.collect() } else { Vec::new() };
    let connected = tried.iter().position(|tried| matches!(tried, Some((Ok(_), _))));
    let mut found = match connected.and_then(|at| tried[at].take().map(|tried| (at, tried))) {
        Some((at, (Ok(stream), _))) => {
            // Only the answer's delay would change.
            let _ = stream.set_nodelay(true);
            Found::good((stream, addresses[at]), addresses[at].to_string())
        }
        _ => failed(&addresses, &tried, limit),
    };
    found.parts = parts;
    found
}

async fn try_all(addresses: &[SocketAddr], mut deadline: Instant) -> Vec<Tried> {
    let mut all: Vec<Tried> = addresses.iter().map(|_| None).collect();
    let mut calls = JoinSet::new();
    for (at, &address) in addresses.iter().enumerate() {
        calls.spawn(async move {
            let started = Instant::now();
            (at, TcpStream::connect(address).await, started.elapsed())
        });
    }
    while let Ok(Some(Ok((at, result, time)))) = timeout_at(deadline, calls.join_next()).await {
        if result.is_ok() {
            deadline = deadline.min(Instant::now() + GRACE);
        }
        all[at] = Some((result, time));
    }
    all
}

fn line(tried: Option<&(io::Result<TcpStream>, Duration)>, waited: Duration) -> Line {
    match tried {
        Some((Ok(_), time)) => {
            Line { outcome: Outcome::Good, detail: "connected".into(), time: *time }
        }
        Some((Err(error), time)) => {
            Line { outcome: Outcome::Bad, detail: words(error), time: *time }
        }
        None => Line { outcome: Outcome::Bad, detail: "no answer yet".into(), time: waited },
    }
}

/// Names the failure that tells most: an address family that is not there tells least.
fn failed<T>(addresses: &[SocketAddr], tried: &[Tried], limit: Duration) -> Found<T> {
    let worst = tried.iter().enumerate().max_by_key(|(at, tried)| {
        let rank = match tried {
            Some((Err(error), _)) => match cause_of(error) {
                Cause::ConnectionRefused => 3,
                Cause::DestinationIpUnroutable => 1,
                _ => 2,
            },
            _ => 2,
        };
        (rank, std::cmp::Reverse(*at))
    });
    match worst {
        Some((at, Some((Err(error), _)))) => {
            Found::bad(unsent(cause_of(error)), format!("{}: {}", addresses[at], words(error)))
        }
        Some((at, _)) => {
            let detail = format!("{}: no answer in {limit:?}", addresses[at]);
            Found::bad(unsent(Cause::ConnectionTimeout), detail)
        }
        None => Found::bad(unsent(Cause::DnsError), "the name has no address"),
    }
}

fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        ErrorKind::ConnectionRefused => Cause::ConnectionRefused,
        ErrorKind::TimedOut => Cause::ConnectionTimeout,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Cause::ConnectionTerminated,
        // No address of that family here, so no route either.
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::AddrNotAvailable
        | ErrorKind::InvalidInput => Cause::DestinationIpUnroutable,
        ErrorKind::PermissionDenied => Cause::DestinationIpProhibited,
        _ => Cause::DestinationUnavailable,
    }
}

fn words(error: &io::Error) -> String {
    match cause_of(error) {
        Cause::ConnectionRefused => "refused".into(),
        Cause::ConnectionTimeout => "timed out".into(),
        Cause::DestinationIpUnroutable => "no route".into(),
        _ => escape::line(&error.to_string(), 120),
    }
}
