//! The target of a request, and its URL as a log field.

use std::fmt;

use http::Uri;

use super::{
    record::Record,
    settings::{Role, Settings},
};
use crate::{
    escape::{Escaped, EscapedStr, MAX_LONG_CHARS, MAX_SHORT_CHARS},
    redact::{RedactedPath, RedactedQuery, Redaction},
    semconv::default_port,
};

/// The URL of a request, and on a server also its `Host` header.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestTarget<'a> {
    uri: &'a Uri,
    host_header: Option<&'a str>,
    settings: &'a Settings,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Port(u16);

impl Port {
    pub(super) const fn number(self) -> u16 {
        self.0
    }
}

impl<'a> RequestTarget<'a> {
    pub(super) fn new(record: &'a Record) -> Self {
        let host_header = record.request.host.as_ref().and_then(|it| it.to_str().ok());
        Self { uri: &record.request.uri, host_header, settings: &record.settings }
    }

    /// Returns the target of a call to the upstream.
    pub(super) const fn with_uri(self, uri: &'a Uri) -> Self {
        Self { uri, host_header: None, ..self }
    }

    pub(super) fn scheme(&self) -> &'a str {
        self.uri.scheme_str().unwrap_or(self.settings.scheme)
    }

    /// Returns the host without the port.
    pub(super) fn host(&self) -> Option<&'a str> {
        self.uri.host().or_else(|| self.host_header.map(|host| split_host(host).0))
    }

    /// Returns the port. On a client it defaults to the port of the scheme.
    pub(super) fn port(&self) -> Option<Port> {
        let explicit_port = match self.uri.host() {
            Some(_) => self.uri.port_u16(),
            None => self.host_header.and_then(|host| split_host(host).1),
        };
        let is_client = self.settings.role == Role::Client;
        let scheme_port = || default_port(self.uri).filter(|_| is_client);
        explicit_port.or_else(scheme_port).map(Port)
    }

    pub(super) fn query(&self) -> Option<&'a str> {
        self.uri.query()
    }

    pub(super) fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// Returns the path, redacted.
    pub(super) fn path(&self) -> RedactedPath<'a> {
        RedactedPath(self.uri.path(), self.redaction())
    }

    pub(super) fn redaction(&self) -> &'a Redaction {
        &self.settings.redaction
    }

    pub(super) fn has_userinfo(&self) -> bool {
        self.uri.authority().is_some_and(|it| it.as_str().contains('@'))
    }
}

/// Splits a `Host` header into host and port (RFC 9110 §7.2). An IPv6 address is in brackets.
fn split_host(host: &str) -> (&str, Option<u16>) {
    // User information is not allowed here, but a caller may send it.
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, None),
    }
}

/// Writes the URL without user information and query on a client, or the path on a server.
impl fmt::Display for RequestTarget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.settings.role == Role::Client {
            self.fmt_origin(f, "")?;
        }
        Escaped(self.path(), MAX_SHORT_CHARS).fmt(f)
    }
}

impl RequestTarget<'_> {
    fn fmt_origin(&self, f: &mut fmt::Formatter<'_>, userinfo: &str) -> fmt::Result {
        if let Some(scheme) = self.uri.scheme_str() {
            write!(f, "{scheme}://{userinfo}")?;
        }
        // Not the authority, because it may contain a user name and password.
        write!(f, "{}", EscapedStr(self.uri.host().unwrap_or_default(), MAX_SHORT_CHARS))?;
        match self.uri.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// A URL without user information, path and query.
pub(super) struct Origin<'a>(pub(super) RequestTarget<'a>);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_origin(f, "")
    }
}

/// The value of `url.full`. The convention requires user and password to be redacted, not omitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct FullUrl<'a>(pub(super) RequestTarget<'a>);

impl fmt::Display for FullUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(target) = self;
        target.fmt_origin(f, if target.has_userinfo() { "REDACTED:REDACTED@" } else { "" })?;
        Escaped(target.path(), MAX_LONG_CHARS).fmt(f)?;
        match target.query() {
            Some(query) => write!(f, "?{}", Query(query, *target)),
            None => Ok(()),
        }
    }
}

/// The value of `url.query`, redacted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a>(pub(super) &'a str, pub(super) RequestTarget<'a>);

impl fmt::Display for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(RedactedQuery(self.0, self.1.redaction()), MAX_LONG_CHARS).fmt(f)
    }
}
