//! HAProxy in its default configuration with shorter timeouts.
//!
//! HAProxy connects to a refusing server four times, one second apart.

use std::{fs, path::Path, process::Command};

use seawall::{Cause::*, Product};

use crate::{
    expected::{BodyEnd, ExpectedResponse, TIMED_OUT, UNREADABLE},
    gateway_kind::{GatewayKind, GatewaySetup},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const HAPROXY: GatewayKind = GatewayKind {
    name: "HAProxy",
    product: Product::HaProxy,
    program: "haproxy",
    command: |program, setup| command(program, setup, ""),
    responses: &[
        ExpectedResponse::from_gateway("refused", 503, UNREACHED).never_sent(),
        ExpectedResponse::from_gateway("gone", 503, UNREACHED).never_sent(),
        ExpectedResponse::from_gateway("accept-close", 502, UNREADABLE)
            .not_received()
            .only_on_new_connections(),
        ExpectedResponse::from_gateway("read-close", 502, UNREADABLE).only_on_new_connections(),
        ExpectedResponse::from_gateway("reset", 502, UNREADABLE).only_on_new_connections(),
        ExpectedResponse::from_gateway("silent", 504, TIMED_OUT),
        ExpectedResponse::from_gateway("garbage", 502, UNREADABLE),
        ExpectedResponse::success("truncated-chunks", BodyEnd::Truncated),
        ExpectedResponse::from_gateway("truncated-head", 502, UNREADABLE).only_on_new_connections(),
        ExpectedResponse::from_gateway("half-head", 502, UNREADABLE).only_on_new_connections(),
        ExpectedResponse::from_gateway("long-head", 502, UNREADABLE),
        ExpectedResponse::from_gateway(UNRESOLVABLE, 503, UNREACHED).never_sent(),
    ],
    notes: &[
        "status none: closes a reused connection without a response",
        "unresolvable: starts with such a name only if `init-addr none` is set",
    ],
};

/// HAProxy as Debian configures it, with error pages from files.
///
/// HAProxy sends these as HTTP/1.0 and closes the connection.
pub(crate) const DEBIAN_HAPROXY: GatewayKind = GatewayKind {
    name: "HAProxy, Debian's",
    command: |program, setup| {
        let pages = [502, 503, 504]
            .map(|status| (status, format!("/etc/haproxy/errors/{status}.http")))
            .into_iter()
            .filter(|(_, file)| Path::new(file).is_file())
            .map(|(status, file)| format!("    errorfile {status} {file}\n"));
        command(program, setup, &pages.collect::<String>())
    },
    ..HAPROXY
};

const UNREACHED: &[seawall::Cause] = &[
    ConnectionLimitReached,
    ConnectionRefused,
    ConnectionTimeout,
    DestinationNotFound,
    DestinationUnavailable,
    DnsError,
    Overloaded,
    TlsCertificateError,
    TlsProtocolError,
];

fn command(program: &Path, setup: &GatewaySetup<'_>, error_files: &str) -> Command {
    let GatewaySetup { addr, directory, upstreams } = setup;
    let rules = upstreams
        .format_routes(|name, _| format!("    use_backend {name} if {{ path /{name} }}\n"));
    let backends = upstreams
        .format_routes(|name, upstream| format!("backend {name}\n    server only {upstream}\n"));
    // Without `init-addr none`, HAProxy does not start with a name that has no address.
    let config = format!(
        "global
    maxconn 200
defaults
    mode http
    timeout connect 1s
    timeout server 2s
    timeout client 60s
{error_files}resolvers test
    nameserver test {resolver}
frontend all
    bind {addr}
{rules}    use_backend {UNRESOLVABLE} if {{ path /{UNRESOLVABLE} }}
{backends}backend {UNRESOLVABLE}
    server only {NO_SUCH_HOST}:80 resolvers test init-addr none
",
        resolver = upstreams.name_server.addr,
    );
    let file = directory.join("haproxy.cfg");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program);
    // Runs in the foreground.
    command.arg("-db").arg("-f").arg(file);
    command
}
