//! A command that sends a request again.

use std::fmt::{self, Write};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::{
    quote::{Quoted, Variable},
    record::Record,
    redact::{Part, parts},
    settings::{CREDENTIALS, Settings},
    target::Target,
};

/// A longer command is not written, in bytes: half of it would send something else.
const LONGEST: usize = 8 * 1024;

/// Headers whose values say nothing about who asks. All others become variables.
const HARMLESS: [HeaderName; 15] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::RANGE,
    header::TE,
    header::USER_AGENT,
    HeaderName::from_static("x-request-id"),
];

/// Headers that curl makes itself.
const OF_CURL: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
];

/// The command, for bash and zsh: nothing that the peer sent is seen by the shell but as text, and secrets are
/// variables, to be set first.
#[derive(Debug)]
pub(super) struct Curl<'a>(pub(super) &'a Record);

impl fmt::Display for Curl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut command = String::new();
        self.write(&mut command)?;
        if command.len() > LONGEST {
            return f.write_str("curl: not written, the request is too long");
        }
        f.write_str(&command)
    }
}

impl Curl<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        let Self(record) = self;
        let target = Target::of(record);
        // Globs and `..` are the request's own.
        let headers = record.more().and_then(|it| it.headers.as_ref());
        let has_body = has_body(&record.method, headers);
        // By `-X HEAD` curl would wait for the content.
        if record.method == Method::HEAD && !has_body {
            out.push_str("curl -gI --path-as-is");
        } else {
            write!(out, "curl -gi --path-as-is -X {}", Quoted(record.method.as_str().as_bytes()))?;
        }
        for (name, value) in headers.into_iter().flatten() {
            if !OF_CURL.contains(name) && out.len() <= LONGEST {
                out.push_str(" -H ");
                header(out, name, value, record.settings())?;
            }
        }
        if has_body {
            out.push_str(" --data-binary @body");
        }
        if target.has_user() {
            out.push_str(" -u \"$USERINFO\"");
        }
        out.push_str(" --url ");
        url(out, &target)
    }
}

/// Whether it has content, as far as its head tells. On a client that is often to be written yet, and in HTTP/2 it need not say
/// so: then a method that is there to send some has some, since an empty request would do something else.
fn has_body(method: &Method, headers: Option<&HeaderMap>) -> bool {
    let value = |name| headers.and_then(|it| it.get(name));
    match value(header::CONTENT_LENGTH) {
        Some(length) => length.as_bytes() != b"0",
        None if value(header::TRANSFER_ENCODING).is_some() => true,
        None => [Method::POST, Method::PUT, Method::PATCH].contains(method),
    }
}

fn header(
    out: &mut String,
    name: &HeaderName,
    value: &HeaderValue,
    settings: &Settings,
) -> fmt::Result {
    let is_shown = HARMLESS.contains(name) || settings.headers.contains(name);
    if is_shown && !value.is_sensitive() {
        // curl takes a header without a value for one to be left out, unless it ends so.
        let separator = if value.is_empty() { ";" } else { ": " };
        let line = [name.as_str().as_bytes(), separator.as_bytes(), value.as_bytes()].concat();
        return write!(out, "{}", Quoted(&line));
    }
    let before = format!("{name}: ");
    // Only a credential has its own name for a variable: a peer must not choose which of those that the reader has
    // set is sent.
    let prefix = if CREDENTIALS.contains(name) { "" } else { "HEADER_" };
    write!(out, "{}{}", Quoted(before.as_bytes()), Variable(prefix, name.as_str()))
}

fn url(out: &mut String, target: &Target<'_>) -> fmt::Result {
    let origin = format!(
        "{}://{}{}{}",
        target.scheme(),
        target.host().unwrap_or("localhost"),
        target.port().map(|port| format!(":{}", port.number())).unwrap_or_default(),
        target.uri().path(),
    );
    write!(out, "{}", Quoted(origin.as_bytes()))?;
    let Some(query) = target.query() else { return Ok(()) };
    write!(out, "{}", Quoted(b"?"))?;
    let mut result = Ok(());
    parts(query, target.secrets(), |part| {
        let written = match part {
            Part::Plain(text) => write!(out, "{}", Quoted(text.as_bytes())),
            Part::Secret(key) => write!(out, "{}", Variable("QUERY_", key)),
        };
        result = result.and(written);
    });
    result
}
