//! Keys from the environment, and where they are put.

use std::env;

use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use serde::Deserialize;

/// What a variable of the environment holds. It is not shown by `Debug`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Key(HeaderValue);

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(variable: String) -> Result<Self, String> {
        let lacks = |what| format!("expected {what} in the variable {variable}");
        if variable.is_empty() || variable.contains(['=', '\0']) {
            return Err("expected the name of a variable of the environment".into());
        }
        // Neither the value nor an error that may quote it is told.
        let value = env::var(&variable).map_err(|_| lacks("a key"))?;
        let mut value: HeaderValue = value.trim().parse().map_err(|_| lacks("a key in ASCII"))?;
        if value.is_empty() || value.to_str().is_err() {
            return Err(lacks("a key in ASCII"));
        }
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl Key {
    pub(super) fn same_value(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The header that a key is put into: `authorization`, with `Bearer` in front of it, or any other, as it is.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Placement(HeaderName);

impl Default for Placement {
    fn default() -> Self {
        Self(AUTHORIZATION)
    }
}

impl TryFrom<String> for Placement {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, &'static str> {
        name.parse().map(Self).map_err(|_| "expected the name of a header")
    }
}

impl Placement {
    pub(super) fn header(&self, key: &Key) -> (HeaderName, HeaderValue) {
        let Key(key) = key;
        if self.0 != AUTHORIZATION {
            return (self.0.clone(), key.clone());
        }
        let value = [b"Bearer ", key.as_bytes()].concat();
        // Both parts were a header's value.
        let mut value = HeaderValue::try_from(value).unwrap_or_else(|_| key.clone());
        value.set_sensitive(true);
        (AUTHORIZATION, value)
    }
}
