//! Caddy in its default configuration plus timeouts, because it has none by default.

use std::{fs, path::Path, process::Command};

use seawall::{Cause::*, Product};

use crate::{
    expected::{BodyEnd, ExpectedResponse, TIMED_OUT},
    gateway_kind::{GatewayKind, GatewaySetup},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const CADDY: GatewayKind = GatewayKind {
    name: "Caddy",
    product: Product::Caddy,
    program: "caddy",
    command,
    responses: &[
        ExpectedResponse::from_gateway("refused", 502, GENERIC_502).not_received(),
        ExpectedResponse::from_gateway("gone", 502, GENERIC_502).not_received(),
        ExpectedResponse::from_gateway("accept-close", 502, GENERIC_502).not_received(),
        ExpectedResponse::from_gateway("read-close", 502, GENERIC_502),
        ExpectedResponse::from_gateway("reset", 502, GENERIC_502),
        ExpectedResponse::from_gateway("silent", 504, TIMED_OUT),
        ExpectedResponse::from_gateway("garbage", 502, GENERIC_502),
        // Caddy frames a truncated body as complete.
        ExpectedResponse::success("truncated-chunks", BodyEnd::TruncatedUndetected),
        ExpectedResponse::from_gateway("truncated-head", 502, GENERIC_502),
        ExpectedResponse::from_gateway("half-head", 502, GENERIC_502),
        ExpectedResponse::success("long-head", BodyEnd::Complete),
        ExpectedResponse::from_gateway(UNRESOLVABLE, 502, GENERIC_502).not_received(),
    ],
    notes: &["truncated-chunks: relays the data as a complete body"],
};

/// The causes of the 502, which has no body.
const GENERIC_502: &[seawall::Cause] = &[
    ConnectionRefused,
    ConnectionTerminated,
    ConnectionTimeout,
    DestinationNotFound,
    DnsError,
    DnsTimeout,
    HttpProtocolError,
    HttpResponseIncomplete,
    TlsCertificateError,
    TlsProtocolError,
];

fn command(program: &Path, setup: &GatewaySetup<'_>) -> Command {
    let GatewaySetup { addr, directory, upstreams } = setup;
    let resolver = upstreams.name_server.addr;
    let route = |name: &str, upstream: &str| {
        format!(
            "    reverse_proxy /{name} {upstream} {{
        transport http {{
            dial_timeout 1s
            response_header_timeout 2s
            resolvers {resolver}
        }}
    }}\n"
        )
    };
    let routes = upstreams.format_routes(|name, upstream| route(name, &upstream.to_string()));
    let unresolvable = route(UNRESOLVABLE, &format!("{NO_SUCH_HOST}:80"));
    let config = format!(
        "{{
    admin off
    auto_https off
}}
:{port} {{
    bind {host}
{routes}{unresolvable}}}
",
        port = addr.port(),
        host = addr.ip(),
    );
    let file = directory.join("Caddyfile");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    // Caddy stores its state and a copy of its configuration in these directories.
    for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(variable, directory);
    }
    command
}
