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

use super::failure_before_request;
use crate::{escape, report::StepResult};

const MAX_ADDRESSES: usize = 8;

pub(crate) async fn resolve(
    host: &Host<String>,
    nameserver: Option<SocketAddr>,
    limit: Duration,
) -> StepResult<Vec<IpAddr>> {
    match host {
        Host::Ipv4(ip) => StepResult::ok(vec![(*ip).into()], "skipped: the host is an IP address"),
        Host::Ipv6(ip) => StepResult::ok(vec![(*ip).into()], "skipped: the host is an IP address"),
        Host::Domain(name) => match timeout(limit, resolve_name(name, nameserver)).await {
            Ok(result) => result,
            Err(_) => timed_out(limit),
        },
    }
}

async fn resolve_name(name: &str, nameserver: Option<SocketAddr>) -> StepResult<Vec<IpAddr>> {
    let without_dot = name.trim_end_matches('.');
    // RFC 6761 §6.3: these names resolve to loopback, without DNS and without a hosts file.
    if without_dot == "localhost" || without_dot.ends_with(".localhost") {
        return resolved(&[Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()], "");
    }
    let conf = nameserver
        .map_or_else(read_system_conf, |server| Ok((single_server_config(server), <_>::default())));
    let Ok((config, options)) = conf else {
        // Without a resolv.conf, the system's resolver may still work.
        return resolve_by_system(name).await.unwrap_or_else(|| {
            StepResult::failed(
                failure_before_request(Cause::DnsError),
                "no resolver is configured on this machine",
            )
        });
    };
    let mut servers: Vec<_> =
        config.name_servers().iter().map(|server| server.ip.to_string()).collect();
    servers.dedup();
    let servers = servers.join(", ");
    let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let error = match resolver.with_options(options).build() {
        Ok(resolver) => match resolver.lookup_ip(name).await {
            Ok(addresses) => return resolved(&addresses.iter().collect::<Vec<_>>(), ""),
            Err(error) => error,
        },
        Err(error) => error,
    };
    // The system may resolve names outside DNS, for example by mDNS.
    let is_not_found = error.is_nx_domain() || error.is_no_records_found();
    if is_not_found
        && nameserver.is_none()
        && let Some(addresses) = resolve_by_system(name).await
    {
        return addresses;
    }
    lookup_failed(&error, &servers)
}

fn single_server_config(server: SocketAddr) -> ResolverConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut config.connections {
        connection.port = server.port();
    }
    ResolverConfig::from_name_servers(vec![config])
}

async fn resolve_by_system(name: &str) -> Option<StepResult<Vec<IpAddr>>> {
    let addresses: Vec<_> =
        lookup_host((name, 0)).await.ok()?.map(|address| address.ip()).collect();
    (!addresses.is_empty())
        .then(|| resolved(&addresses, " (from the system's resolver, not from DNS)"))
}

fn resolved(addresses: &[IpAddr], suffix: &str) -> StepResult<Vec<IpAddr>> {
    let mut unique = Vec::new();
    for &address in addresses {
        if !unique.contains(&address) && unique.len() < MAX_ADDRESSES {
            unique.push(address);
        }
    }
    let first: Vec<_> = unique.iter().take(3).map(ToString::to_string).collect();
    let more = match addresses.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    StepResult::ok(unique, format!("{}{more}{suffix}", first.join(", ")))
}

fn lookup_failed(error: &NetError, servers: &str) -> StepResult<Vec<IpAddr>> {
    let queried = if servers.is_empty() { String::new() } else { format!(" (queried {servers})") };
    if error.is_nx_domain() {
        return StepResult::failed(
            failure_before_request(Cause::DnsError),
            format!("the name does not exist{queried}"),
        );
    }
    if error.is_no_records_found() {
        return StepResult::failed(
            failure_before_request(Cause::DnsError),
            format!("the name has no IP address{queried}"),
        );
    }
    let cause = match error {
        NetError::Timeout => Cause::DnsTimeout,
        _ => Cause::DnsError,
    };
    StepResult::failed(
        failure_before_request(cause),
        format!("{}{queried}", escape::single_line(&error.to_string(), 120)),
    )
}

fn timed_out(limit: Duration) -> StepResult<Vec<IpAddr>> {
    let detail = format!("no response from the resolver within {limit:?}");
    StepResult::failed(failure_before_request(Cause::DnsTimeout), detail)
}
