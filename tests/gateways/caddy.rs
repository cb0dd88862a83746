//! Caddy, in its stock configuration but for limits, of which it has none by itself.

use std::{fs, path::Path, process::Command};

use seawall::{Cause::*, Product};

use crate::{
    answer::{Answer, Ends, TIMED_OUT},
    kind::{Kind, Site},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const CADDY: Kind = Kind {
    name: "Caddy",
    product: Product::Caddy,
    program: "caddy",
    command,
    answers: &[
        Answer::own("refused", 502, UNTOLD).unseen(),
        Answer::own("gone", 502, UNTOLD).unseen(),
        Answer::own("accept-close", 502, UNTOLD).unseen(),
        Answer::own("read-close", 502, UNTOLD),
        Answer::own("reset", 502, UNTOLD),
        Answer::own("silent", 504, TIMED_OUT),
        Answer::own("garbage", 502, UNTOLD),
        // It ends what was cut off as if it were whole.
        Answer::success("truncated-chunks", Ends::Deceptively),
        Answer::own("truncated-head", 502, UNTOLD),
        Answer::own("half-head", 502, UNTOLD),
        Answer::success("long-head", Ends::Whole),
        Answer::own(UNRESOLVABLE, 502, UNTOLD).unseen(),
    ],
    remarks: &["truncated-chunks: relayed as if that were the whole"],
};

/// Its 502 has no body.
const UNTOLD: &[seawall::Cause] = &[
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

fn command(program: &Path, site: &Site<'_>) -> Command {
    let Site { addr, directory, backstage } = site;
    let resolver = backstage.resolver.addr;
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
    let routes = backstage.each_route(|name, upstream| route(name, &upstream.to_string()));
    let nowhere = route(UNRESOLVABLE, &format!("{NO_SUCH_HOST}:80"));
    let config = format!(
        "{{
    admin off
    auto_https off
}}
:{port} {{
    bind {host}
{routes}{nowhere}}}
",
        port = addr.port(),
        host = addr.ip(),
    );
    let file = directory.join("Caddyfile");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    // It keeps what it learns, and a copy of its configuration, under these.
    for home in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(home, directory);
    }
    command
}
