//! Squid, as an accelerator: a gateway in front of origins that it knows; with shorter limits, and no cache.

use std::{fs, path::Path, process::Command};

use seawall::{Cause::*, Product};

use crate::{
    answer::{Answer, ENDED, Ends, TIMED_OUT},
    kind::{Kind, Site},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const SQUID: Kind = Kind {
    name: "Squid",
    product: Product::Squid,
    program: "squid",
    command,
    answers: &[
        // It tried when it started, and has not since.
        Answer::own("refused", 502, UNREACHED).never_sent(),
        Answer::own("gone", 503, &[ConnectionRefused]).never_sent(),
        Answer::own("accept-close", 502, ENDED).unseen(),
        Answer::own("read-close", 502, ENDED),
        Answer::own("reset", 502, ENDED),
        Answer::own("silent", 504, TIMED_OUT),
        // It takes it for an HTTP/0.9 response.
        Answer::success("garbage", Ends::Deceptively),
        Answer::success("truncated-chunks", Ends::CutOff),
        Answer::own("truncated-head", 502, BROKEN_HEAD),
        // A head without its end becomes a whole one, without a body.
        Answer::success("half-head", Ends::Deceptively),
        Answer::own("long-head", 502, &[HttpResponseHeaderSectionSize, HttpResponseHeaderSize]),
        Answer::own(UNRESOLVABLE, 502, UNREACHED).never_sent(),
    ],
    remarks: &[
        "refused: it tried when it started; gone: it tries and fails",
        "garbage: relayed as a body; half-head: relayed as a whole one without a body",
    ],
};

const UNREACHED: &[seawall::Cause] =
    &[ConnectionRefused, DestinationNotFound, DestinationUnavailable, DnsError];
const BROKEN_HEAD: &[seawall::Cause] =
    &[ConnectionTerminated, HttpProtocolError, HttpResponseIncomplete];

fn command(program: &Path, site: &Site<'_>) -> Command {
    let Site { addr, directory, backstage } = site;
    // Never given up for failing too often: each request is to be a try.
    let options = "no-query no-digest originserver connect-fail-limit=1000";
    let at = directory.display();
    let peer = |name: &str, host: &str, port: u16| {
        format!(
            "acl {name} urlpath_regex ^/{name}$
cache_peer {host} parent {port} 0 {options} name=to-{name}
cache_peer_access to-{name} allow {name}
cache_peer_access to-{name} deny all\n"
        )
    };
    let peers = backstage
        .each_route(|name, upstream| peer(name, &upstream.ip().to_string(), upstream.port()));
    let nowhere = peer(UNRESOLVABLE, NO_SUCH_HOST, 80);
    // It counts whole seconds as they begin, so that each of these may be a second less.
    let config = format!(
        "http_port {addr} accel defaultsite=gateway.invalid
visible_hostname gateway.invalid
{peers}{nowhere}never_direct allow all
http_access allow all
cache deny all
connect_timeout 2 seconds
peer_connect_timeout 2 seconds
read_timeout 3 seconds
access_log none
cache_log {at}/cache.log
pid_filename none
netdb_filename none
coredump_dir {at}
shutdown_lifetime 0 seconds
pinger_enable off
max_filedescriptors 1024
"
    );
    let file = directory.join("squid.conf");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program);
    // One process, in the foreground; what is worth knowing on standard error; shared memory under a name of its own.
    let name = format!("seawall{}", addr.port());
    command.args(["-N", "-d", "1", "-n", &name, "-f"]).arg(file);
    command
}
