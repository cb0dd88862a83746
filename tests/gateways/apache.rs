//! Apache with only the modules of a gateway, and with shorter timeouts.

use std::{fs, path::Path, process::Command};

use seawall::{Cause::*, Product};

use crate::{
    expected::{BodyEnd, ExpectedResponse, NO_SUCH_NAME, UNREADABLE},
    gateway_kind::{GatewayKind, GatewaySetup, is_root},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const APACHE: GatewayKind = GatewayKind {
    name: "Apache",
    product: Product::Apache,
    program: "apache2",
    command,
    responses: &[
        ExpectedResponse::from_gateway("refused", 503, UNREACHED).never_sent(),
        ExpectedResponse::from_gateway("gone", 503, UNREACHED).never_sent(),
        ExpectedResponse::from_gateway("accept-close", 502, UNANSWERED)
            .not_received()
            .only_on_new_connections(),
        ExpectedResponse::from_gateway("read-close", 502, UNANSWERED).only_on_new_connections(),
        ExpectedResponse::from_gateway("reset", 502, UNANSWERED).only_on_new_connections(),
        ExpectedResponse::from_gateway("silent", 502, UNANSWERED),
        // Apache parses the bytes as an HTTP/0.9 response.
        ExpectedResponse::success("garbage", BodyEnd::TruncatedUndetected),
        ExpectedResponse::success("truncated-chunks", BodyEnd::Truncated),
        ExpectedResponse::from_gateway("truncated-head", 502, UNREADABLE),
        ExpectedResponse::from_gateway("half-head", 502, UNREADABLE),
        ExpectedResponse::from_gateway("long-head", 502, UNREADABLE),
        ExpectedResponse::from_gateway(UNRESOLVABLE, 500, NO_SUCH_NAME).never_sent(),
    ],
    notes: &[
        "status none: closes a reused connection without a response",
        "garbage: relays the bytes as a body",
    ],
};

const UNREACHED: &[seawall::Cause] = &[
    ConnectionLimitReached,
    ConnectionRefused,
    ConnectionTimeout,
    DestinationUnavailable,
    Overloaded,
];
const UNANSWERED: &[seawall::Cause] =
    &[ConnectionReadTimeout, ConnectionTerminated, HttpResponseIncomplete, HttpResponseTimeout];

/// The module folder of Debian.
const MODULES: &str = "/usr/lib/apache2/modules";

fn command(program: &Path, setup: &GatewaySetup<'_>) -> Command {
    let GatewaySetup { addr, directory, upstreams } = setup;
    let root = directory.display();
    // As root, Apache does not start without another user for its children.
    let user = if is_root() { "User nobody\nGroup nogroup" } else { "" };
    // `retry=0` retries a failed upstream immediately instead of after a minute.
    let limits = "connectiontimeout=1 timeout=2 retry=0";
    let routes = upstreams.format_routes(|name, upstream| {
        format!("ProxyPass /{name} http://{upstream}/{name} {limits}\n")
    });
    let config = format!(
        "ServerRoot {root}
ServerName gateway.invalid
Listen {addr}
PidFile {root}/pid
DefaultRuntimeDir {root}
ErrorLog /dev/stderr
LoadModule mpm_event_module {MODULES}/mod_mpm_event.so
LoadModule authz_core_module {MODULES}/mod_authz_core.so
LoadModule proxy_module {MODULES}/mod_proxy.so
LoadModule proxy_http_module {MODULES}/mod_proxy_http.so
{user}
{routes}
ProxyPass /{UNRESOLVABLE} http://{NO_SUCH_HOST}/ {limits}
"
    );
    let file = directory.join("apache.conf");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program);
    // Runs one process in the foreground.
    command.arg("-X").arg("-f").arg(file);
    command
}
