//! HAProxy, in its stock configuration but for shorter limits. It dials a refusing server four times, a second apart.

use std::{fs, path::Path, process::Command};

use seawall::{Cause::*, Product};

use crate::{
    answer::{Answer, Ends, TIMED_OUT, UNREADABLE},
    kind::{Kind, Site},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const HAPROXY: Kind = Kind {
    name: "HAProxy",
    product: Product::HaProxy,
    program: "haproxy",
    command: |program, site| command(program, site, ""),
    answers: &[
        Answer::own("refused", 503, UNREACHED).never_sent(),
        Answer::own("gone", 503, UNREACHED).never_sent(),
        Answer::own("accept-close", 502, UNREADABLE).unseen().only_on_fresh_connections(),
        Answer::own("read-close", 502, UNREADABLE).only_on_fresh_connections(),
        Answer::own("reset", 502, UNREADABLE).only_on_fresh_connections(),
        Answer::own("silent", 504, TIMED_OUT),
        Answer::own("garbage", 502, UNREADABLE),
        Answer::success("truncated-chunks", Ends::CutOff),
        Answer::own("truncated-head", 502, UNREADABLE).only_on_fresh_connections(),
        Answer::own("half-head", 502, UNREADABLE).only_on_fresh_connections(),
        Answer::own("long-head", 502, UNREADABLE),
        Answer::own(UNRESOLVABLE, 503, UNREACHED).never_sent(),
    ],
    remarks: &[
        "none: it closes a connection that was used before without a word",
        "unresolvable: it does not start with such a name, but for `init-addr none`",
    ],
};

/// As Debian configures it: pages from files, where they are, which are sent as HTTP/1.0 and end with the connection.
pub(crate) const HAPROXY_OF_DEBIAN: Kind = Kind {
    name: "HAProxy, Debian's",
    command: |program, site| {
        let pages = [502, 503, 504]
            .map(|status| (status, format!("/etc/haproxy/errors/{status}.http")))
            .into_iter()
            .filter(|(_, file)| Path::new(file).is_file())
            .map(|(status, file)| format!("    errorfile {status} {file}\n"));
        command(program, site, &pages.collect::<String>())
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

fn command(program: &Path, site: &Site<'_>, error_files: &str) -> Command {
    let Site { addr, directory, backstage } = site;
    let rules =
        backstage.each_route(|name, _| format!("    use_backend {name} if {{ path /{name} }}\n"));
    let backends = backstage
        .each_route(|name, upstream| format!("backend {name}\n    server only {upstream}\n"));
    // Without `init-addr none` it does not start with a name that has no address.
    let config = format!(
        "global
    maxconn 200
defaults
    mode http
    timeout connect 1s
    timeout server 2s
    timeout client 60s
{error_files}resolvers nobody
    nameserver nobody {resolver}
frontend all
    bind {addr}
{rules}    use_backend {UNRESOLVABLE} if {{ path /{UNRESOLVABLE} }}
{backends}backend {UNRESOLVABLE}
    server only {NO_SUCH_HOST}:80 resolvers nobody init-addr none
",
        resolver = backstage.resolver.addr,
    );
    let file = directory.join("haproxy.cfg");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program);
    // In the foreground.
    command.arg("-db").arg("-f").arg(file);
    command
}
