//! Squid as an accelerator (reverse proxy), with shorter timeouts and without a cache.

use std::{fs, path::Path, process::Command};

use seawall::{Cause::*, Product};

use crate::{
    expected::{BodyEnd, ENDED, ExpectedResponse, TIMED_OUT},
    gateway_kind::{GatewayKind, GatewaySetup},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const SQUID: GatewayKind = GatewayKind {
    name: "Squid",
    product: Product::Squid,
    program: "squid",
    command,
    responses: &[
        // Squid connected only at startup.
        ExpectedResponse::from_gateway("refused", 502, UNREACHED).never_sent(),
        ExpectedResponse::from_gateway("gone", 503, &[ConnectionRefused]).never_sent(),
        ExpectedResponse::from_gateway("accept-close", 502, ENDED).not_received(),
        ExpectedResponse::from_gateway("read-close", 502, ENDED),
        ExpectedResponse::from_gateway("reset", 502, ENDED),
        ExpectedResponse::from_gateway("silent", 504, TIMED_OUT),
        // Squid parses the bytes as an HTTP/0.9 response.
        ExpectedResponse::success("garbage", BodyEnd::TruncatedUndetected),
        ExpectedResponse::success("truncated-chunks", BodyEnd::Truncated),
        ExpectedResponse::from_gateway("truncated-head", 502, BROKEN_HEAD),
        // Squid completes an unterminated head, without a body.
        ExpectedResponse::success("half-head", BodyEnd::TruncatedUndetected),
        ExpectedResponse::from_gateway(
            "long-head",
            502,
            &[HttpResponseHeaderSectionSize, HttpResponseHeaderSize],
        ),
        ExpectedResponse::from_gateway(UNRESOLVABLE, 502, UNREACHED).never_sent(),
    ],
    notes: &[
        "refused: connected only at startup; gone: connects and fails",
        "garbage: relays the bytes as a body; half-head: relays a complete response without a body",
    ],
};

const UNREACHED: &[seawall::Cause] =
    &[ConnectionRefused, DestinationNotFound, DestinationUnavailable, DnsError];
const BROKEN_HEAD: &[seawall::Cause] =
    &[ConnectionTerminated, HttpProtocolError, HttpResponseIncomplete];

fn command(program: &Path, setup: &GatewaySetup<'_>) -> Command {
    let GatewaySetup { addr, directory, upstreams } = setup;
    // The high failure limit makes Squid connect for each request.
    let options = "no-query no-digest originserver connect-fail-limit=1000";
    let root = directory.display();
    let peer = |name: &str, host: &str, port: u16| {
        format!(
            "acl {name} urlpath_regex ^/{name}$
cache_peer {host} parent {port} 0 {options} name=to-{name}
cache_peer_access to-{name} allow {name}
cache_peer_access to-{name} deny all\n"
        )
    };
    let peers = upstreams
        .format_routes(|name, upstream| peer(name, &upstream.ip().to_string(), upstream.port()));
    let unresolvable = peer(UNRESOLVABLE, NO_SUCH_HOST, 80);
    // Squid counts started seconds, so each timeout can be up to one second shorter.
    let config = format!(
        "http_port {addr} accel defaultsite=gateway.invalid
visible_hostname gateway.invalid
{peers}{unresolvable}never_direct allow all
http_access allow all
cache deny all
connect_timeout 2 seconds
peer_connect_timeout 2 seconds
read_timeout 3 seconds
access_log none
cache_log {root}/cache.log
pid_filename none
netdb_filename none
coredump_dir {root}
shutdown_lifetime 0 seconds
pinger_enable off
max_filedescriptors 1024
"
    );
    let file = directory.join("squid.conf");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program);
    // Runs one process in the foreground, with errors on standard error and a unique name for its
    // shared memory.
    let name = format!("seawall{}", addr.port());
    command.args(["-N", "-d", "1", "-n", &name, "-f"]).arg(file);
    command
}
