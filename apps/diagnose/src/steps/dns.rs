//! The name lookup.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    system_conf::read_system_conf,
};
use seawall::Cause;
use tokio::{net::lookup_host, time::timeout};
use url::Host;

use super::unsent;
use crate::{escape, report::Found};

/// As many addresses as are tried.
const MOST: usize = 8;

pub(crate) async fn resolve(
    host: &Host<String>,
    server: Option<SocketAddr>,
    limit: Duration,
) -> Found<Vec<IpAddr>> {
    match host {
        Host::Ipv4(ip) => Found::good(vec![(*ip).into()], "an address, nothing to look up"),
        Host::Ipv6(ip) => Found::good(vec![(*ip).into()], "an address, nothing to look up"),
        Host::Domain(name) => match timeout(limit, by_name(name, server)).await {
            Ok(found) => found,
            Err(_) => timed_out(limit),
        },
    }
}

async fn by_name(name: &str, server: Option<SocketAddr>) -> Found<Vec<IpAddr>> {
    let plain = name.trim_end_matches('.');
    // RFC 6761 §6.3: never a matter of DNS, whatever a hosts file lacks.
    if plain == "localhost" || plain.ends_with(".localhost") {
        return found(&[Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()], "");
    }
    let conf = server.map_or_else(read_system_conf, |server| Ok((only(server), <_>::default())));
    let Ok((config, options)) = conf else {
        // No resolv.conf: the system may still know what to do.
        return by_system(name).await.unwrap_or_else(|| {
            Found::bad(unsent(Cause::DnsError), "no resolver is configured on this machine")
        });
    };
    let mut servers: Vec<_> =
        config.name_servers().iter().map(|server| server.ip.to_string()).collect();
    servers.dedup();
    let servers = servers.join(", ");
    let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let error = match resolver.with_options(options).build() {
        Ok(resolver) => match resolver.lookup_ip(name).await {
            Ok(addresses) => return found(&addresses.iter().collect::<Vec<_>>(), ""),
            Err(error) => error,
        },
        Err(error) => error,
    };
    // What is in no DNS may be known otherwise: by mDNS, or by the system's own modules.
    let unknown = error.is_nx_domain() || error.is_no_records_found();
    if unknown
        && server.is_none()
        && let Some(addresses) = by_system(name).await
    {
        return addresses;
    }
    failed(&error, &servers)
}

fn only(server: SocketAddr) -> ResolverConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut config.connections {
        connection.port = server.port();
    }
    ResolverConfig::from_name_servers(vec![config])
}

async fn by_system(name: &str) -> Option<Found<Vec<IpAddr>>> {
    let addresses: Vec<_> =
        lookup_host((name, 0)).await.ok()?.map(|address| address.ip()).collect();
    (!addresses.is_empty()).then(|| found(&addresses, " (by the system, not by DNS)"))
}

fn found(addresses: &[IpAddr], how: &str) -> Found<Vec<IpAddr>> {
    let mut kept = Vec::new();
    for &address in addresses {
        if !kept.contains(&address) && kept.len() < MOST {
            kept.push(address);
        }
    }
    let shown: Vec<_> = kept.iter().take(3).map(ToString::to_string).collect();
    let more = match addresses.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Found::good(kept, format!("{}{more}{how}", shown.join(", ")))
}

fn failed(error: &NetError, servers: &str) -> Found<Vec<IpAddr>> {
    let asked = if servers.is_empty() { String::new() } else { format!(" (asked {servers})") };
    if error.is_nx_domain() {
        return Found::bad(unsent(Cause::DnsError), format!("no such name{asked}"));
    }
    if error.is_no_records_found() {
        return Found::bad(unsent(Cause::DnsError), format!("the name has no address{asked}"));
    }
    let cause = match error {
        NetError::Timeout => Cause::DnsTimeout,
        _ => Cause::DnsError,
    };
    Found::bad(unsent(cause), format!("{}{asked}", escape::line(&error.to_string(), 120)))
}

fn timed_out(limit: Duration) -> Found<Vec<IpAddr>> {
    let detail = format!("no answer from the resolver in {limit:?}");
    Found::bad(unsent(Cause::DnsTimeout), detail)
}
