//! nginx in its default configuration with shorter timeouts.

use std::{fs, path::Path, process::Command};

use seawall::{Cause::*, Product};

use crate::{
    expected::{BodyEnd, ENDED, ExpectedResponse},
    gateway_kind::{GatewayKind, GatewaySetup},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const NGINX: GatewayKind = GatewayKind {
    name: "nginx",
    product: Product::Nginx,
    program: "nginx",
    command,
    responses: &[
        ExpectedResponse::from_gateway("refused", 502, GENERIC_502).not_received(),
        ExpectedResponse::from_gateway("gone", 502, GENERIC_502).not_received(),
        ExpectedResponse::from_gateway("accept-close", 502, GENERIC_502).not_received(),
        ExpectedResponse::from_gateway("read-close", 502, GENERIC_502),
        ExpectedResponse::from_gateway("reset", 502, GENERIC_502),
        ExpectedResponse::from_gateway(
            "silent",
            504,
            &[ConnectionTimeout, ConnectionReadTimeout, HttpResponseTimeout],
        ),
        // nginx relays the bytes as HTTP/0.9, without a status line and headers.
        ExpectedResponse::not_http("garbage", &[HttpProtocolError, HttpResponseTimeout]),
        ExpectedResponse::success("truncated-chunks", BodyEnd::Truncated),
        ExpectedResponse::from_gateway("truncated-head", 502, GENERIC_502),
        ExpectedResponse::from_gateway("half-head", 502, GENERIC_502),
        ExpectedResponse::from_gateway("long-head", 502, GENERIC_502),
        ExpectedResponse::from_gateway(UNRESOLVABLE, 502, GENERIC_502).not_received(),
    ],
    notes: &[
        "unresolvable: starts with such a name in `proxy_pass` only if a variable contains it",
    ],
};

/// The causes of the 502, which is the same for all failures of an upstream.
const GENERIC_502: &[seawall::Cause] = &[
    ConnectionLimitReached,
    ConnectionRefused,
    ENDED[0],
    ENDED[1],
    DestinationNotFound,
    DestinationUnavailable,
    DnsError,
    DnsTimeout,
    HttpProtocolError,
    HttpResponseHeaderSectionSize,
    HttpResponseHeaderSize,
    Overloaded,
    TlsCertificateError,
    TlsProtocolError,
];

fn command(program: &Path, setup: &GatewaySetup<'_>) -> Command {
    let GatewaySetup { addr, directory, upstreams } = setup;
    let root = directory.display();
    let locations = upstreams.format_routes(|name, upstream| {
        format!("location = /{name} {{ proxy_pass http://{upstream}; }}\n")
    });
    // Runs one process that writes only to its directory. nginx resolves names at startup and exits
    // if a name has no address, unless a variable contains the name.
    let config = format!(
        "daemon off;
        master_process off;
        pid {root}/pid;
        error_log stderr;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path {root}/body;
            proxy_temp_path {root}/proxy;
            fastcgi_temp_path {root}/fastcgi;
            uwsgi_temp_path {root}/uwsgi;
            scgi_temp_path {root}/scgi;
            proxy_connect_timeout 1s;
            proxy_read_timeout 2s;
            server {{
                listen {addr};
                {locations}
                location = /{UNRESOLVABLE} {{
                    resolver {resolver} ipv6=off;
                    set $unresolvable {NO_SUCH_HOST};
                    proxy_pass http://$unresolvable;
                }}
            }}
        }}",
        resolver = upstreams.name_server.addr,
    );
    let file = directory.join("nginx.conf");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program);
    command.arg("-p").arg(directory).arg("-c").arg(file).args(["-e", "stderr"]);
    command
}
