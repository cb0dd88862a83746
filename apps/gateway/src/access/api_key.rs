//! API keys from the environment, and the headers that carry them.

use std::{env, sync::Arc};

use http::{
    HeaderName, HeaderValue,
    header::{
        AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    },
};
use serde::Deserialize;

use crate::dialect::Dialect;

/// An API key from an environment variable. `Debug` does not print it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(crate) struct ApiKey {
    /// The name of the variable.
    variable: Arc<str>,
    value: HeaderValue,
}

impl TryFrom<String> for ApiKey {
    type Error = String;

    fn try_from(variable: String) -> Result<Self, String> {
        let expected =
            |expected| format!("expected {expected} in the environment variable `{variable}`");
        if variable.is_empty() || variable.contains(['=', '\0']) {
            return Err("expected the name of an environment variable".into());
        }
        // The errors of `env::var` and of parsing are dropped, because they may quote the key.
        let value = env::var(&variable).map_err(|_| expected("a key"))?;
        let mut value: HeaderValue =
            value.trim().parse().map_err(|_| expected("a key in ASCII"))?;
        if value.is_empty() {
            return Err(expected("a key that is not empty"));
        }
        if value.to_str().is_err() {
            return Err(expected("a key in ASCII"));
        }
        value.set_sensitive(true);
        Ok(Self { variable: variable.into(), value })
    }
}

impl ApiKey {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.value.as_bytes()
    }

    pub(crate) fn variable(&self) -> &Arc<str> {
        &self.variable
    }

    /// Returns whether the keys are equal, whatever their variables.
    pub(super) fn has_same_value(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// The header for an API key: `authorization` with the scheme `Bearer`, or another header with the
/// key alone.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(crate) struct ApiKeyHeader(HeaderName);

/// The headers that a key would break, because the gateway sets them.
static RESERVED_HEADERS: [HeaderName; 7] =
    [CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

impl Default for ApiKeyHeader {
    fn default() -> Self {
        Self(AUTHORIZATION)
    }
}

impl TryFrom<String> for ApiKeyHeader {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, &'static str> {
        let name: HeaderName = name.parse().map_err(|_| "expected the name of a header")?;
        if RESERVED_HEADERS.contains(&name) {
            return Err("expected a header that does not frame or route the request");
        }
        Ok(Self(name))
    }
}

impl ApiKeyHeader {
    pub(crate) const fn of_dialect(dialect: Dialect) -> Self {
        Self(dialect.api_key_header())
    }

    /// Returns the name and the value of the header.
    pub(crate) fn with_key(&self, key: &ApiKey) -> (HeaderName, HeaderValue) {
        let key = &key.value;
        if self.0 != AUTHORIZATION {
            return (self.0.clone(), key.clone());
        }
        let value = [b"Bearer ", key.as_bytes()].concat();
        // Infallible: both parts are valid header values.
        let mut value = HeaderValue::try_from(value).unwrap_or_else(|_| key.clone());
        value.set_sensitive(true);
        (AUTHORIZATION, value)
    }
}
