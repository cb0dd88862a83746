//! What a request is for.

use std::fmt;

use http::Uri;

use super::{
    escape::{Escaped, LONG, SHORT, Text},
    record::Record,
    redact::{Redacted, Secrets},
    settings::{Settings, Side},
};
use crate::semconv::port_of_scheme;

#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    uri: &'a Uri,
    /// What stands in its `Host` header, on a server.
    host: Option<&'a str>,
    settings: &'a Settings,
}

/// A port, as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Port(u16);

impl Port {
    pub(super) const fn number(self) -> u16 {
        self.0
    }
}

impl<'a> Target<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        let host = record.host.as_ref().and_then(|it| it.to_str().ok());
        Self { uri: record.uri(), host, settings: record.settings() }
    }

    pub(super) fn scheme(&self) -> &'a str {
        self.uri.scheme_str().unwrap_or(self.settings.scheme)
    }

    /// Without the port.
    pub(super) fn host(&self) -> Option<&'a str> {
        self.uri.host().or_else(|| self.host.map(|host| split(host).0))
    }

    /// On a client by default that of the scheme.
    pub(super) fn port(&self) -> Option<Port> {
        let written = match self.uri.host() {
            Some(_) => self.uri.port_u16(),
            None => self.host.and_then(|host| split(host).1),
        };
        let client = self.settings.side == Side::Client;
        let by_scheme = || port_of_scheme(self.uri).filter(|_| client);
        written.or_else(by_scheme).map(Port)
    }

    pub(super) fn query(&self) -> Option<&'a str> {
        self.uri.query()
    }

    pub(super) fn uri(&self) -> &'a Uri {
        self.uri
    }

    pub(super) fn secrets(&self) -> &'a Secrets {
        &self.settings.secrets
    }

    pub(super) fn has_user(&self) -> bool {
        self.uri.authority().is_some_and(|it| it.as_str().contains('@'))
    }
}

/// A `Host` header into host and port (RFC 9110 §7.2). What is in brackets is an IPv6 address.
fn split(host: &str) -> (&str, Option<u16>) {
    // It has no place for a user; a caller may send one all the same.
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, None),
    }
}

/// For a person: a client's URL without user and query, a server's path.
impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.settings.side == Side::Client {
            self.origin(f, "")?;
        }
        Text(self.uri.path(), SHORT).fmt(f)
    }
}

impl Target<'_> {
    fn origin(&self, f: &mut fmt::Formatter<'_>, user: &str) -> fmt::Result {
        if let Some(scheme) = self.uri.scheme_str() {
            write!(f, "{scheme}://{user}")?;
        }
        // Host and port only: an authority may begin with a user's name and password.
        write!(f, "{}", Text(self.uri.host().unwrap_or_default(), SHORT))?;
        match self.uri.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// `url.full`. The convention wants user and password redacted, not left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Url<'a>(pub(super) &'a Target<'a>);

impl fmt::Display for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(target) = self;
        target.origin(f, if target.has_user() { "REDACTED:REDACTED@" } else { "" })?;
        Text(target.uri.path(), LONG).fmt(f)?;
        match target.query() {
            Some(query) => write!(f, "?{}", Query(query, target)),
            None => Ok(()),
        }
    }
}

/// `url.query`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a>(pub(super) &'a str, pub(super) &'a Target<'a>);

impl fmt::Display for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(Redacted(self.0, self.1.secrets()), LONG).fmt(f)
    }
}
