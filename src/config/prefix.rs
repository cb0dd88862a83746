use std::{borrow::Cow, fmt};

use http::{Uri, uri::Authority};

use super::values::{ScalarValue, impl_scalar_deserialize};
use crate::keys::by_authority;

/// What a URL begins with, as a route says it: in one spelling, whatever it was written like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Prefix {
    pub(super) scheme: Box<str>,
    /// Host and port, as [`by_authority`] makes a key of them. `None`: any.
    pub(super) authority: Option<Box<str>>,
    /// Without a slash at its end, so empty for every path.
    pub(super) path: Box<str>,
}

impl Prefix {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        // RFC 3986 §3.1. The crate takes any.
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        if rest.is_empty() {
            // What the crate makes of a scheme, it makes of the scheme of requests too.
            let uri: Uri = format!("{scheme}://host").parse().ok()?;
            let scheme = scheme_of(&uri)?.into();
            return Some(Self { scheme, authority: None, path: "".into() });
        }
        let uri: Uri = text.parse().ok()?;
        // A fragment is not kept, so it is looked for in what was written.
        let is_plain = uri.query().is_none() && !text.contains(['#', '@', '?']);
        let authority =
            uri.authority().filter(|authority| is_plain && has_valid_port(authority))?;
        // There are no wildcards, so a name with an asterisk would never be met.
        let known = !authority.host().is_empty() && !authority.host().contains('*');
        Some(Self {
            scheme: scheme_of(&uri)?.into(),
            authority: Some(by_authority(&uri).filter(|_| known)?.into()),
            path: uri.path().trim_end_matches('/').into(),
        })
    }
}

/// In lower case (RFC 3986 §6.2.2.1).
pub(super) fn scheme_of(uri: &Uri) -> Option<Cow<'_, str>> {
    let scheme = uri.scheme_str()?;
    Some(if scheme.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(scheme.to_ascii_lowercase())
    } else {
        Cow::Borrowed(scheme)
    })
}

/// Whether a port, if one is announced, is one.
fn has_valid_port(authority: &Authority) -> bool {
    let announced = authority.as_str().len() > authority.host().len();
    !announced || authority.port_u16().is_some()
}

/// In the one spelling.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.authority.as_deref().unwrap_or_default();
        write!(f, "{}://{authority}{}", self.scheme, self.path)
    }
}

impl ScalarValue for Prefix {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the beginning of a URL such as \"https://\", \"https://api.example.com\" or \
             \"https://api.example.com/v1\", without user, query and fragment",
        )
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    /// Without the user, whose password would come into a log.
    fn describe(text: &str) -> Cow<'_, str> {
        let begin = text.find("://").map_or(0, |at| at + 3);
        match text.get(begin..).and_then(|rest| rest.rfind('@')) {
            Some(end) => Cow::Owned(format!("{}…{}", &text[..begin], &text[begin + end..])),
            None => Cow::Borrowed(text),
        }
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*://[^@?#]*$" })
    }
}

impl_scalar_deserialize!([] Prefix);
