//! nginx, in its stock configuration but for shorter limits, so that a silent origin does not take a minute.

use std::{fs, path::Path, process::Command};

use seawall::{Cause::*, Product};

use crate::{
    answer::{Answer, ENDED, Ends},
    kind::{Kind, Site},
    scenario::{NO_SUCH_HOST, UNRESOLVABLE},
};

pub(crate) const NGINX: Kind = Kind {
    name: "nginx",
    product: Product::Nginx,
    program: "nginx",
    command,
    answers: &[
        Answer::own("refused", 502, UNTOLD).unseen(),
        Answer::own("gone", 502, UNTOLD).unseen(),
        Answer::own("accept-close", 502, UNTOLD).unseen(),
        Answer::own("read-close", 502, UNTOLD),
        Answer::own("reset", 502, UNTOLD),
        Answer::own(
            "silent",
            504,
            &[ConnectionTimeout, ConnectionReadTimeout, HttpResponseTimeout],
        ),
        // Relayed as HTTP/0.9: no status line, no headers.
        Answer::not_http("garbage", &[HttpProtocolError, HttpResponseTimeout]),
        Answer::success("truncated-chunks", Ends::CutOff),
        Answer::own("truncated-head", 502, UNTOLD),
        Answer::own("half-head", 502, UNTOLD),
        Answer::own("long-head", 502, UNTOLD),
        Answer::own(UNRESOLVABLE, 502, UNTOLD).unseen(),
    ],
    remarks: &[
        "unresolvable: it does not start with such a name in `proxy_pass`, unless a variable hides it",
    ],
};

/// Its 502 is the same for all that is wrong with an upstream.
const UNTOLD: &[seawall::Cause] = &[
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

fn command(program: &Path, site: &Site<'_>) -> Command {
    let Site { addr, directory, backstage } = site;
    let at = directory.display();
    let locations = backstage.each_route(|name, upstream| {
        format!("location = /{name} {{ proxy_pass http://{upstream}; }}\n")
    });
    // One process; everything it writes stays in its directory. It looks a name up at start, and does not start without
    // an address, unless a variable keeps it from seeing the name.
    let config = format!(
        "daemon off;
        master_process off;
        pid {at}/pid;
        error_log stderr;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path {at}/body;
            proxy_temp_path {at}/proxy;
            fastcgi_temp_path {at}/fastcgi;
            uwsgi_temp_path {at}/uwsgi;
            scgi_temp_path {at}/scgi;
            proxy_connect_timeout 1s;
            proxy_read_timeout 2s;
            server {{
                listen {addr};
                {locations}
                location = /{UNRESOLVABLE} {{
                    resolver {resolver} ipv6=off;
                    set $nowhere {NO_SUCH_HOST};
                    proxy_pass http://$nowhere;
                }}
            }}
        }}",
        resolver = backstage.resolver.addr,
    );
    let file = directory.join("nginx.conf");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program);
    command.arg("-p").arg(directory).arg("-c").arg(file).args(["-e", "stderr"]);
    command
}
