//! A command that repeats a request.

use std::fmt::{self, Write};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::{
    quote::{Quoted, Variable},
    record::Record,
    redact::{Part, parts},
    settings::{CREDENTIALS, Settings},
    target::RequestTarget,
};

/// The longest command that is written, in bytes. A part of one would send another request.
const MAX_COMMAND_BYTES: usize = 8 * 1024;

/// Headers whose values do not identify the caller. All others become variables.
const SAFE_HEADERS: [HeaderName; 15] = [
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

/// Headers that curl sends by itself.
const CURL_HEADERS: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
];

/// The command, for bash and zsh. It quotes what the peer sent. Secrets are variables, to be set first.
#[derive(Debug)]
pub(super) struct Curl<'a>(pub(super) &'a Record);

impl fmt::Display for Curl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut command = String::new();
        self.write(&mut command)?;
        if command.len() > MAX_COMMAND_BYTES {
            return f.write_str("curl: not written, the request is too long");
        }
        f.write_str(&command)
    }
}

impl Curl<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        let Self(record) = self;
        let target = RequestTarget::new(record);
        let method = &record.request.method;
        let headers = record.request_headers();
        let has_body = has_body(method, headers);
        // Globs and `..` are part of the URL. With `-X TIME_TO_HEADERS` curl would wait for content.
        if method == Method::HEAD && !has_body {
            out.push_str("curl -gI --path-as-is");
        } else {
            write!(out, "curl -gi --path-as-is -X {}", Quoted(method.as_str().as_bytes()))?;
        }
        for (name, value) in headers.into_iter().flatten() {
            if !CURL_HEADERS.contains(name) && out.len() <= MAX_COMMAND_BYTES {
                out.push_str(" -H ");
                header(out, name, value, &record.settings)?;
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

/// Returns whether a request has content, by its headers or else by its method.
///
/// A client often sets those headers after this layer, and HTTP/2 does not require them. An empty request would do something else.
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
    let is_shown = SAFE_HEADERS.contains(name) || settings.headers.contains(name);
    if is_shown && !value.is_sensitive() {
        // curl omits a header that ends in a colon.
        let separator = if value.is_empty() { ";" } else { ": " };
        let line = [name.as_str().as_bytes(), separator.as_bytes(), value.as_bytes()].concat();
        return write!(out, "{}", Quoted(&line));
    }
    let before = format!("{name}: ");
    // Only a credential's variable has the header's own name. Otherwise a peer could choose a variable of the reader's shell.
    let prefix = if CREDENTIALS.contains(name) { "" } else { "HEADER_" };
    write!(out, "{}{}", Quoted(before.as_bytes()), Variable(prefix, name.as_str()))
}

fn url(out: &mut String, target: &RequestTarget<'_>) -> fmt::Result {
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
