//! Envoy in its default configuration with shorter timeouts.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use seawall::{Cause::*, Product};
use serde_json::{Value, json};

use crate::{
    expected::{BodyEnd, ENDED, ExpectedResponse, NO_SUCH_NAME, TIMED_OUT, UNREADABLE},
    gateway_kind::{GatewayKind, GatewaySetup},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const ENVOY: GatewayKind = GatewayKind {
    name: "Envoy",
    product: Product::Envoy,
    program: "envoy",
    command,
    responses: &[
        ExpectedResponse::from_gateway("refused", 503, UNCONNECTED).never_sent(),
        ExpectedResponse::from_gateway("gone", 503, UNCONNECTED).never_sent(),
        ExpectedResponse::from_gateway("accept-close", 503, ENDED).not_received(),
        ExpectedResponse::from_gateway("read-close", 503, ENDED),
        ExpectedResponse::from_gateway("reset", 503, ENDED),
        ExpectedResponse::from_gateway("silent", 504, TIMED_OUT),
        ExpectedResponse::from_gateway("garbage", 502, UNREADABLE),
        ExpectedResponse::success("truncated-chunks", BodyEnd::Truncated),
        ExpectedResponse::from_gateway("truncated-head", 502, UNREADABLE),
        ExpectedResponse::from_gateway("half-head", 502, UNREADABLE),
        ExpectedResponse::from_gateway("long-head", 502, UNREADABLE),
        ExpectedResponse::from_gateway(UNRESOLVABLE, 503, UNREACHED).never_sent(),
    ],
    notes: &[],
};

const UNCONNECTED: &[seawall::Cause] = &[ConnectionRefused, TlsCertificateError, TlsProtocolError];
const UNREACHED: &[seawall::Cause] = &[NO_SUCH_NAME[0], NO_SUCH_NAME[1], DestinationUnavailable];

const TYPE_PREFIX: &str = "type.googleapis.com/envoy.extensions";

fn command(program: &Path, setup: &GatewaySetup<'_>) -> Command {
    let upstreams = setup.upstreams;
    let names = upstreams.routes().map(|(name, _)| name).chain([UNRESOLVABLE]);
    let routes: Vec<_> = names
        .map(|name| {
            json!({
                "match": { "path": format!("/{name}") },
                "route": { "cluster": name, "timeout": "2s" },
            })
        })
        .collect();
    let mut clusters: Vec<_> = upstreams
        .routes()
        .map(|(name, upstream)| {
            cluster(name, "STATIC", &upstream.ip().to_string(), upstream.port())
        })
        .collect();
    let mut unresolvable = cluster(UNRESOLVABLE, "STRICT_DNS", NO_SUCH_HOST, 80);
    unresolvable["typed_dns_resolver_config"] = json!({
        "name": "envoy.network.dns_resolver.cares",
        "typed_config": {
            "@type": format!("{TYPE_PREFIX}.network.dns_resolver.cares.v3.CaresDnsResolverConfig"),
            "resolvers": [socket_address(upstreams.name_server.addr)],
        },
    });
    clusters.push(unresolvable);
    let config = json!({
        "static_resources": {
            "listeners": [{
                "address": socket_address(setup.addr),
                "filter_chains": [{ "filters": [connection_manager(&routes)] }],
            }],
            "clusters": clusters,
        },
    });
    let file = setup.directory.join("envoy.json");
    fs::write(&file, config.to_string()).unwrap();
    let mut command = Command::new(program);
    command.arg("-c").arg(file).args(["--disable-hot-restart", "--concurrency", "1"]);
    command
}

fn connection_manager(routes: &[Value]) -> Value {
    json!({
        "name": "http",
        "typed_config": {
            "@type": format!(
                "{TYPE_PREFIX}.filters.network.http_connection_manager.v3.HttpConnectionManager"
            ),
            "stat_prefix": "http",
            "route_config": {
                "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }],
            },
            "http_filters": [{
                "name": "router",
                "typed_config": { "@type": format!("{TYPE_PREFIX}.filters.http.router.v3.Router") },
            }],
        },
    })
}

fn cluster(name: &str, discovery: &str, host: &str, port: u16) -> Value {
    let address = json!({ "socket_address": { "address": host, "port_value": port } });
    json!({
        "name": name,
        "type": discovery,
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address } }] }],
        },
    })
}

fn socket_address(addr: SocketAddr) -> Value {
    let protocol = "TCP";
    let address = json!({ "address": addr.ip(), "port_value": addr.port(), "protocol": protocol });
    json!({ "socket_address": address })
}
