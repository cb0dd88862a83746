//! The tables `[[service]]` and `[[service.upstream]]`.

use http::Uri;
use serde::{Deserialize, Deserializer, de::Error};
use toml::Spanned;

use super::PolicyTable;
use crate::{
    access::{ApiKey, ApiKeyHeader},
    cli,
    dialect::Dialect,
    engine::ScriptedBehavior,
};

/// A service at `/NAME`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceConfig {
    pub(crate) name: Spanned<ServiceName>,
    /// The only upstream, in place of `upstreams`.
    #[serde(default, deserialize_with = "deserialize_url")]
    url: Option<Uri>,
    /// Whether to use HTTP/2 for `url`.
    #[serde(default)]
    http2: bool,
    #[serde(default, rename = "upstream")]
    upstreams: Vec<UpstreamConfig>,
    /// Whether to rewrite locations at the upstreams to locations at the gateway.
    #[serde(default)]
    pub(crate) rewrite_location: bool,
    #[serde(default)]
    pub(crate) dialect: Option<Dialect>,
    #[serde(default)]
    pub(crate) policy: PolicyTable,
}

/// An upstream of a service, which balances requests among its upstreams.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpstreamConfig {
    #[serde(default, deserialize_with = "deserialize_url")]
    pub(crate) url: Option<Uri>,
    /// Whether to use HTTP/2 for `url`.
    #[serde(default)]
    pub(crate) http2: bool,
    /// The behavior of a scripted upstream, which replaces the URL.
    #[serde(default)]
    pub(crate) script: Option<ScriptedBehavior>,
    /// The environment variable with the API key. Without one, the client's credentials are
    /// forwarded.
    #[serde(default)]
    pub(crate) api_key_env: Option<ApiKey>,
    /// The header with the API key. By default that of the dialect, or else `authorization`.
    #[serde(default)]
    pub(crate) api_key_header: Option<ApiKeyHeader>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(crate) struct ServiceName(pub(crate) String);

impl TryFrom<String> for ServiceName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, &'static str> {
        cli::validate_name(&name).map(|()| Self(name))
    }
}

impl ServiceConfig {
    /// Creates a service with one upstream and the default policy.
    pub(crate) fn new(name: String, url: Uri) -> Self {
        Self {
            name: Spanned::new(0..0, ServiceName(name)),
            url: Some(url),
            http2: false,
            upstreams: Vec::new(),
            rewrite_location: false,
            dialect: None,
            policy: PolicyTable::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name.as_ref().0
    }

    /// Returns the upstreams. A valid service has at least one.
    pub(crate) fn upstreams(&self) -> Vec<UpstreamConfig> {
        match &self.url {
            Some(url) => vec![UpstreamConfig {
                url: Some(url.clone()),
                http2: self.http2,
                ..UpstreamConfig::default()
            }],
            None => self.upstreams.clone(),
        }
    }

    /// Returns whether the gateway adds an API key of its own to requests.
    pub(crate) fn has_api_keys(&self) -> bool {
        self.upstreams.iter().any(|upstream| upstream.api_key_env.is_some())
    }

    /// # Errors
    /// Returns the expectation that the upstreams do not meet.
    pub(super) fn validate_upstreams(&self) -> Result<(), &'static str> {
        if self.upstreams.is_empty() == self.url.is_none() {
            return Err("expected either a url or at least one upstream");
        }
        let is_ambiguous =
            |upstream: &UpstreamConfig| upstream.url.is_some() == upstream.script.is_some();
        if self.upstreams.iter().any(is_ambiguous) {
            return Err("expected an upstream to have either a url or a script");
        }
        if self.http2 && self.url.is_none() {
            return Err("expected http2 in each upstream, or a url");
        }
        let has_unused_header = |upstream: &UpstreamConfig| {
            upstream.api_key_header.is_some() && upstream.api_key_env.is_none()
        };
        if self.upstreams.iter().any(has_unused_header) {
            return Err("expected api_key_env in an upstream with api_key_header");
        }
        Ok(())
    }
}

fn deserialize_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uri>, D::Error> {
    cli::parse_url(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}
