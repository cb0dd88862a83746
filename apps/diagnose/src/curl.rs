//! The `curl` command that sends the same request.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, Method};

use crate::{
    cli::Options,
    target::{REDACTED, Target},
};

/// The headers whose values are printed. The values of all other headers are redacted.
const NON_SECRET_HEADERS: [&str; 8] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-type",
    "host",
    "range",
    "user-agent",
];

/// Returns whether the value of a request header is printed.
pub(crate) fn is_public(name: &HeaderName) -> bool {
    NON_SECRET_HEADERS.contains(&name.as_str())
}

/// Returns the command, with secrets redacted.
pub(crate) fn command(target: &Target, options: &Options) -> String {
    let seconds = options.timeout.as_secs_f64().ceil().max(1.0);
    let mut args = vec!["curl".into(), "-v".into(), "--max-time".into(), format!("{seconds}")];
    // GET needs no option, and other methods are not accepted.
    if options.method == Method::HEAD {
        args.push("-I".into());
    }
    if options.insecure {
        args.push("-k".into());
    }
    if let Some(address) = options.connect_to {
        args.extend(["--connect-to".into(), connect_to_value(target, address)]);
    }
    if target.has_userinfo() {
        args.extend(["-u".into(), REDACTED.into()]);
    }
    args.extend(header_args(&options.headers));
    // Without -g, curl expands brackets and braces.
    if target.redacted_url.contains(['[', ']', '{', '}']) {
        args.push("-g".into());
    }
    args.push(target.redacted_url.clone());
    shell_quote(&args)
}

fn connect_to_value(target: &Target, address: SocketAddr) -> String {
    format!("{}:{}:{address}", target.host, target.port)
}

fn header_args(headers: &HeaderMap) -> Vec<String> {
    let args = headers.iter().flat_map(|(name, value)| {
        let value = value.to_str().ok().filter(|_| is_public(name));
        ["-H".into(), format!("{name}: {}", value.unwrap_or(REDACTED))]
    });
    args.collect()
}

/// Quotes the arguments for a POSIX shell. Only NUL cannot be quoted, and no URL or header has one.
pub(crate) fn shell_quote(args: &[String]) -> String {
    shlex::try_join(args.iter().map(String::as_str)).unwrap_or_default()
}
