//! A `curl` command that repeats a request.

use std::fmt::{self, Write};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::{
    quote::{Quoted, Variable},
    record::Record,
    settings::{CREDENTIALS, Settings},
    target::RequestTarget,
};
use crate::redact::{Part, for_each_path_part, for_each_query_part};

/// The maximum length of a command, in bytes. A longer one is omitted, because a truncated command
/// would send a different request.
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

/// The command, for bash and zsh.
///
/// All text from the request is quoted. Secrets are variables, which the user sets first.
#[derive(Debug)]
pub(super) struct Curl<'a>(pub(super) &'a Record);

impl fmt::Display for Curl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut command = String::new();
        self.write(&mut command)?;
        if command.len() > MAX_COMMAND_BYTES {
            return f.write_str("curl: omitted because the command is too long");
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
        // `-g` and `--path-as-is` keep globs and `..` in the URL. With `-X HEAD` curl would wait
        // for content; `-I` does not.
        if method == Method::HEAD && !has_body {
            out.push_str("curl -gI --path-as-is");
        } else {
            write!(out, "curl -gi --path-as-is -X {}", Quoted(method.as_str().as_bytes()))?;
        }
        for (name, value) in headers.into_iter().flatten() {
            if !CURL_HEADERS.contains(name) && out.len() <= MAX_COMMAND_BYTES {
                out.push_str(" -H ");
                write_header(out, name, value, &record.settings)?;
            }
        }
        if has_body {
            out.push_str(" --data-binary @body");
        }
        if target.has_userinfo() {
            out.push_str(" -u \"$USERINFO\"");
        }
        out.push_str(" --url ");
        write_url(out, &target)
    }
}

/// Returns whether a request has content, judged by its headers, or else by its method.
///
/// The method decides because clients often set these headers inside this layer, and HTTP/2 does
/// not require them. A request without its content would have another effect.
fn has_body(method: &Method, headers: Option<&HeaderMap>) -> bool {
    let value = |name| headers.and_then(|it| it.get(name));
    match value(header::CONTENT_LENGTH) {
        Some(length) => length.as_bytes() != b"0",
        None if value(header::TRANSFER_ENCODING).is_some() => true,
        None => [Method::POST, Method::PUT, Method::PATCH].contains(method),
    }
}

fn write_header(
    out: &mut String,
    name: &HeaderName,
    value: &HeaderValue,
    settings: &Settings,
) -> fmt::Result {
    let is_safe = SAFE_HEADERS.contains(name) || settings.headers.contains(name);
    if is_safe && !value.is_sensitive() {
        // curl drops a header that ends in a colon. A semicolon sends it with an empty value.
        let separator = if value.is_empty() { ";" } else { ": " };
        let line = [name.as_str().as_bytes(), separator.as_bytes(), value.as_bytes()].concat();
        return write!(out, "{}", Quoted(&line));
    }
    let name_prefix = format!("{name}: ");
    // Only the variable of a known credential has the name of its header. Otherwise a peer could
    // name any variable of the user's shell.
    let variable_prefix = if CREDENTIALS.contains(name) { "" } else { "HEADER_" };
    write!(out, "{}{}", Quoted(name_prefix.as_bytes()), Variable(variable_prefix, name.as_str()))
}

fn write_url(out: &mut String, target: &RequestTarget<'_>) -> fmt::Result {
    let origin = format!(
        "{}://{}{}",
        target.scheme(),
        target.host().unwrap_or("localhost"),
        target.port().map(|port| format!(":{}", port.number())).unwrap_or_default(),
    );
    // Adjacent quotes are one word.
    write!(out, "{}", Quoted(origin.as_bytes()))?;
    let redaction = target.redaction();
    for_each_path_part(target.uri().path(), redaction, &mut |part| write_part(out, "PATH_", part));
    let Some(query) = target.query() else { return Ok(()) };
    write!(out, "{}", Quoted(b"?"))?;
    for_each_query_part(query, redaction, &mut |part| write_part(out, "QUERY_", part));
    Ok(())
}

fn write_part(out: &mut String, prefix: &str, part: Part<'_>) {
    // Writing to a `String` does not fail.
    let _ = match part {
        Part::Plain("") => Ok(()),
        Part::Plain(text) => write!(out, "{}", Quoted(text.as_bytes())),
        Part::Secret(key) => write!(out, "{}", Variable(prefix, key)),
    };
}
