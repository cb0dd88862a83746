//! Connects to all addresses at once, and uses the first in the given order that succeeds.

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

use super::failure_before_request;
use crate::{
    escape,
    report::{Check, Outcome, StepResult},
};

/// The maximum wait for the other addresses after one has connected.
const OTHER_ADDRESSES_WAIT: Duration = Duration::from_millis(300);

/// The result of one address and its duration, or `None` while it is pending.
type ConnectResult = Option<(io::Result<TcpStream>, Duration)>;

pub(crate) async fn connect(
    addresses: Vec<SocketAddr>,
    limit: Duration,
) -> StepResult<(TcpStream, SocketAddr)> {
    let started = Instant::now();
    let mut results = connect_all(&addresses, started + limit).await;
    let checks = addresses
        .iter()
        .zip(&results)
        .map(|(address, result)| (address.to_string(), check(result.as_ref(), started.elapsed())));
    // The check of the step already contains a single address.
    let checks = if addresses.len() > 1 { checks.collect() } else { Vec::new() };
    let connected = results.iter().position(|result| matches!(result, Some((Ok(_), _))));
    let mut step =
        match connected.and_then(|index| results[index].take().map(|result| (index, result))) {
            Some((index, (Ok(stream), _))) => {
                // A failure affects only latency.
                let _ = stream.set_nodelay(true);
                StepResult::ok((stream, addresses[index]), addresses[index].to_string())
            }
            _ => connect_failed(&addresses, &results, limit),
        };
    step.addresses = checks;
    step
}

async fn connect_all(addresses: &[SocketAddr], mut deadline: Instant) -> Vec<ConnectResult> {
    let mut results: Vec<ConnectResult> = addresses.iter().map(|_| None).collect();
    let mut tasks = JoinSet::new();
    for (index, &address) in addresses.iter().enumerate() {
        tasks.spawn(async move {
            let started = Instant::now();
            (index, TcpStream::connect(address).await, started.elapsed())
        });
    }
    while let Ok(Some(Ok((index, result, duration)))) =
        timeout_at(deadline, tasks.join_next()).await
    {
        if result.is_ok() {
            deadline = deadline.min(Instant::now() + OTHER_ADDRESSES_WAIT);
        }
        results[index] = Some((result, duration));
    }
    results
}

fn check(result: Option<&(io::Result<TcpStream>, Duration)>, elapsed: Duration) -> Check {
    match result {
        Some((Ok(_), duration)) => {
            Check { outcome: Outcome::Ok, detail: "connected".into(), duration: *duration }
        }
        Some((Err(error), duration)) => {
            Check { outcome: Outcome::Failed, detail: describe(error), duration: *duration }
        }
        None => Check {
            outcome: Outcome::Failed,
            detail: "has not responded yet".into(),
            duration: elapsed,
        },
    }
}

/// Returns the most specific failure. A missing address family has the lowest rank.
fn connect_failed<T>(
    addresses: &[SocketAddr],
    results: &[ConnectResult],
    limit: Duration,
) -> StepResult<T> {
    let reported = results.iter().enumerate().max_by_key(|(index, result)| {
        let rank = match result {
            Some((Err(error), _)) => match cause_of(error) {
                Cause::ConnectionRefused => 3,
                Cause::DestinationIpUnroutable => 1,
                _ => 2,
            },
            _ => 2,
        };
        (rank, std::cmp::Reverse(*index))
    });
    match reported {
        Some((index, Some((Err(error), _)))) => StepResult::failed(
            failure_before_request(cause_of(error)),
            format!("{} {}", addresses[index], describe(error)),
        ),
        Some((index, _)) => {
            let detail = format!("{} did not respond within {limit:?}", addresses[index]);
            StepResult::failed(failure_before_request(Cause::ConnectionTimeout), detail)
        }
        None => StepResult::failed(
            failure_before_request(Cause::DnsError),
            "the name has no IP address",
        ),
    }
}

fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        ErrorKind::ConnectionRefused => Cause::ConnectionRefused,
        ErrorKind::TimedOut => Cause::ConnectionTimeout,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Cause::ConnectionTerminated,
        // This machine has no address of that family, so there is no route.
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::AddrNotAvailable
        | ErrorKind::InvalidInput => Cause::DestinationIpUnroutable,
        ErrorKind::PermissionDenied => Cause::DestinationIpProhibited,
        _ => Cause::DestinationUnavailable,
    }
}

/// Describes the error of an address, without its subject.
fn describe(error: &io::Error) -> String {
    match cause_of(error) {
        Cause::ConnectionRefused => "refused the connection".into(),
        Cause::ConnectionTimeout => "did not respond in time".into(),
        Cause::DestinationIpUnroutable => "has no route from this host".into(),
        _ => format!("failed: {}", escape::single_line(&error.to_string(), 120)),
    }
}
