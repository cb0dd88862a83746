//! Envoy, in its stock configuration but for shorter limits.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use seawall::{Cause::*, Product};
use serde_json::{Value, json};

use crate::{
    answer::{Answer, ENDED, Ends, NO_SUCH_NAME, TIMED_OUT, UNREADABLE},
    kind::{Kind, Site},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const ENVOY: Kind = Kind {
    name: "Envoy",
    product: Product::Envoy,
    program: "envoy",
    command,
    answers: &[
        Answer::own("refused", 503, UNCONNECTED).never_sent(),
        Answer::own("gone", 503, UNCONNECTED).never_sent(),
        Answer::own("accept-close", 503, ENDED).unseen(),
        Answer::own("read-close", 503, ENDED),
        Answer::own("reset", 503, ENDED),
        Answer::own("silent", 504, TIMED_OUT),
        Answer::own("garbage", 502, UNREADABLE),
        Answer::success("truncated-chunks", Ends::CutOff),
        Answer::own("truncated-head", 502, UNREADABLE),
        Answer::own("half-head", 502, UNREADABLE),
        Answer::own("long-head", 502, UNREADABLE),
        Answer::own(UNRESOLVABLE, 503, UNREACHED).never_sent(),
    ],
    remarks: &[],
};

const UNCONNECTED: &[seawall::Cause] = &[ConnectionRefused, TlsCertificateError, TlsProtocolError];
const UNREACHED: &[seawall::Cause] = &[NO_SUCH_NAME[0], NO_SUCH_NAME[1], DestinationUnavailable];

const TYPES: &str = "type.googleapis.com/envoy.extensions";

fn command(program: &Path, site: &Site<'_>) -> Command {
    let backstage = site.backstage;
    let names = backstage.routes().map(|(name, _)| name).chain([UNRESOLVABLE]);
    let routes: Vec<_> = names
        .map(|name| {
            json!({
                "match": { "path": format!("/{name}") },
                "route": { "cluster": name, "timeout": "2s" },
            })
        })
        .collect();
    let mut clusters: Vec<_> = backstage
        .routes()
        .map(|(name, upstream)| {
            cluster(name, "STATIC", &upstream.ip().to_string(), upstream.port())
        })
        .collect();
    let mut nowhere = cluster(UNRESOLVABLE, "STRICT_DNS", NO_SUCH_HOST, 80);
    nowhere["typed_dns_resolver_config"] = json!({
        "name": "envoy.network.dns_resolver.cares",
        "typed_config": {
            "@type": format!("{TYPES}.network.dns_resolver.cares.v3.CaresDnsResolverConfig"),
            "resolvers": [socket(backstage.resolver.addr)],
        },
    });
    clusters.push(nowhere);
    let config = json!({
        "static_resources": {
            "listeners": [{
                "address": socket(site.addr),
                "filter_chains": [{ "filters": [manager(&routes)] }],
            }],
            "clusters": clusters,
        },
    });
    let file = site.directory.join("envoy.json");
    fs::write(&file, config.to_string()).unwrap();
    let mut command = Command::new(program);
    command.arg("-c").arg(file).args(["--disable-hot-restart", "--concurrency", "1"]);
    command
}

fn manager(routes: &[Value]) -> Value {
    json!({
        "name": "http",
        "typed_config": {
            "@type": format!(
                "{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"
            ),
            "stat_prefix": "http",
            "route_config": {
                "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }],
            },
            "http_filters": [{
                "name": "router",
                "typed_config": { "@type": format!("{TYPES}.filters.http.router.v3.Router") },
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

fn socket(addr: SocketAddr) -> Value {
    let protocol = "TCP";
    let address = json!({ "address": addr.ip(), "port_value": addr.port(), "protocol": protocol });
    json!({ "socket_address": address })
}
