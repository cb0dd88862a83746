//! The command that repeats the request by hand.

use std::net::SocketAddr;

use http::{HeaderMap, Method};

use crate::{
    cli::Options,
    target::{REDACTED, Target},
};

/// Header fields whose values are shown. Of all others nobody knows.
const HARMLESS: [&str; 8] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-type",
    "host",
    "range",
    "user-agent",
];

pub(crate) fn command(target: &Target, options: &Options) -> String {
    let seconds = options.timeout.as_secs_f64().ceil().max(1.0);
    let mut words = vec!["curl".into(), "-v".into(), "--max-time".into(), format!("{seconds}")];
    if options.method == Method::HEAD {
        words.push("-I".into());
    }
    if options.insecure {
        words.push("-k".into());
    }
    if let Some(address) = options.connect_to {
        words.extend(["--connect-to".into(), connect_to(target, address)]);
    }
    if target.has_user() {
        words.extend(["-u".into(), REDACTED.into()]);
    }
    words.extend(fields(&options.headers));
    // Brackets and braces are patterns to curl.
    if target.shown.contains(['[', ']', '{', '}']) {
        words.push("-g".into());
    }
    words.push(target.shown.clone());
    quoted(&words)
}

fn connect_to(target: &Target, address: SocketAddr) -> String {
    format!("{}:{}:{address}", target.host, target.port)
}

fn fields(headers: &HeaderMap) -> Vec<String> {
    let words = headers.iter().flat_map(|(name, value)| {
        let shown = value.to_str().ok().filter(|_| HARMLESS.contains(&name.as_str()));
        ["-H".into(), format!("{name}: {}", shown.unwrap_or(REDACTED))]
    });
    words.collect()
}

/// For a POSIX shell. What cannot be said there, a NUL, is in no URL and in no header.
fn quoted(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}
