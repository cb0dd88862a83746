use std::{borrow::Cow, fmt};

use http::{Uri, uri::Authority};

use super::{
    normalize,
    values::{ConfigValue, impl_scalar_deserialize},
};
use crate::redact::REDACTED;

/// A URL prefix of a route, in normalized form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Prefix {
    pub(super) scheme: Box<str>,
    /// The host and port, as a key made by [`normalize::authority`]. `None` matches any.
    pub(super) authority: Option<Box<str>>,
    /// The path without its trailing slash. An empty path matches every path.
    pub(super) path: Box<str>,
}

impl Prefix {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        // RFC 3986 §3.1: a scheme starts with a letter. The `http` crate does not check that.
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        if rest.is_empty() {
            // The `http` crate must normalize this scheme as it does that of a request.
            let uri: Uri = format!("{scheme}://host").parse().ok()?;
            let scheme = scheme_of(&uri)?.into();
            return Some(Self { scheme, authority: None, path: "".into() });
        }
        let uri: Uri = text.parse().ok()?;
        // `Uri` drops the fragment, so the text is searched for it.
        let has_forbidden_part = uri.query().is_some() || text.contains(['#', '@', '?']);
        let authority =
            uri.authority().filter(|authority| !has_forbidden_part && has_valid_port(authority))?;
        // There are no wildcards, so a host with an asterisk would never match.
        let can_match = !matches!(authority.host(), "" | ".") && !authority.host().contains('*');
        let authority = normalize::authority(&uri).filter(|_| can_match)?;
        Some(Self {
            scheme: scheme_of(&uri)?.into(),
            authority: Some(authority.into()),
            path: normalize::path(uri.path()).trim_end_matches('/').into(),
        })
    }
}

/// Returns the scheme in lower case (RFC 3986 §6.2.2.1).
pub(super) fn scheme_of(uri: &Uri) -> Option<Cow<'_, str>> {
    let scheme = uri.scheme_str()?;
    Some(if scheme.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(scheme.to_ascii_lowercase())
    } else {
        Cow::Borrowed(scheme)
    })
}

/// Returns `false` if the authority has a colon without a valid port.
fn has_valid_port(authority: &Authority) -> bool {
    let has_port = authority.as_str().len() > authority.host().len();
    !has_port || authority.port_u16().is_some()
}

/// Writes the normalized form.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.authority.as_deref().unwrap_or_default();
        write!(f, "{}://{authority}{}", self.scheme, self.path)
    }
}

impl ConfigValue for Prefix {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a URL prefix such as \"https://\", \"https://api.example.com\" or \
             \"https://api.example.com/v1\", without user, query and fragment",
        )
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    /// Removes user information, query and fragment, so that no secret is logged.
    fn redact(text: &str) -> Cow<'_, str> {
        let start = text.find("://").map_or(0, |at| at + 3);
        let (scheme, rest) = text.split_at(start);
        // A password may contain `@`, so the user information ends at the last one.
        let (user, rest) = match rest.rfind('@') {
            Some(end) => (REDACTED, &rest[end..]),
            None => ("", rest),
        };
        let (rest, query) = match rest.find(['?', '#']) {
            Some(end) => (&rest[..=end], REDACTED),
            None => (rest, ""),
        };
        Cow::Owned(format!("{scheme}{user}{rest}{query}"))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[A-Za-z][A-Za-z0-9+.-]*://[^@?#]*$",
        })
    }
}

impl_scalar_deserialize!([] Prefix);
