//! The lines of the log at the start: the services, and the address of the dashboard.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use serde_json::{Map, json};
use tracing::Level;

use crate::{engine::ServiceStatus, log};

/// Logs one line for each service.
pub(crate) fn log_services(services: &[ServiceStatus]) {
    for service in services {
        let fields = Map::from_iter([("service".to_owned(), service.facts())]);
        log::notice_with(Level::INFO, &service.summary(), fields);
    }
}

/// Logs the address of the dashboard.
pub(crate) fn log_dashboard(scheme: &str, listen: SocketAddr) {
    let url = format!("{scheme}://{}/", reachable(listen));
    let fields = Map::from_iter([("url".to_owned(), json!(url))]);
    log::notice_with(Level::INFO, &format_args!("dashboard at {url}"), fields);
}

/// Returns an address that a browser on this host can open. No host has the unspecified address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    if listen.ip().is_unspecified() { SocketAddr::new(ip, listen.port()) } else { listen }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unspecified_address_becomes_loopback_address() {
        for (listen, expected) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), expected.parse().unwrap());
        }
    }
}
