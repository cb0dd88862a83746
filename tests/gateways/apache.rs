//! Apache, with no more modules than it takes to be a gateway, and shorter limits.

use std::{fs, path::Path, process::Command};

use seawall::{Cause::*, Product};

use crate::{
    answer::{Answer, Ends, NO_SUCH_NAME, UNREADABLE},
    kind::{Kind, Site, is_root},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const APACHE: Kind = Kind {
    name: "Apache",
    product: Product::Apache,
    program: "apache2",
    command,
    answers: &[
        Answer::own("refused", 503, UNREACHED).never_sent(),
        Answer::own("gone", 503, UNREACHED).never_sent(),
        Answer::own("accept-close", 502, UNANSWERED).unseen().only_on_fresh_connections(),
        Answer::own("read-close", 502, UNANSWERED).only_on_fresh_connections(),
        Answer::own("reset", 502, UNANSWERED).only_on_fresh_connections(),
        Answer::own("silent", 502, UNANSWERED),
        // It takes it for an HTTP/0.9 response.
        Answer::success("garbage", Ends::Deceptively),
        Answer::success("truncated-chunks", Ends::CutOff),
        Answer::own("truncated-head", 502, UNREADABLE),
        Answer::own("half-head", 502, UNREADABLE),
        Answer::own("long-head", 502, UNREADABLE),
        Answer::own(UNRESOLVABLE, 500, NO_SUCH_NAME).never_sent(),
    ],
    remarks: &[
        "none: it closes a connection that was used before without a word",
        "garbage: relayed as a body",
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

/// Debian's folder of modules.
const MODULES: &str = "/usr/lib/apache2/modules";

fn command(program: &Path, site: &Site<'_>) -> Command {
    let Site { addr, directory, backstage } = site;
    let at = directory.display();
    // Root's children are to be somebody else, or it does not start.
    let user = if is_root() { "User nobody\nGroup nogroup" } else { "" };
    // An upstream that failed is tried again at once, and not after a minute.
    let limits = "connectiontimeout=1 timeout=2 retry=0";
    let routes = backstage.each_route(|name, upstream| {
        format!("ProxyPass /{name} http://{upstream}/{name} {limits}\n")
    });
    let config = format!(
        "ServerRoot {at}
ServerName gateway.invalid
Listen {addr}
PidFile {at}/pid
DefaultRuntimeDir {at}
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
    // One process, in the foreground.
    command.arg("-X").arg("-f").arg(file);
    command
}
