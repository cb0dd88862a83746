//! The configuration file of the gateway.

use std::{fs::File, io::Read, net::SocketAddr, num::NonZeroU32, path::Path, time::Duration};

use http::Uri;
use serde::{Deserialize, Deserializer, de::Error};
use toml::Spanned;

use super::{
    api_key::{ApiKey, ApiKeyHeader},
    config_error::ConfigError,
    mock_upstream::MockBehavior,
};
use crate::{cli, client::ConnectionConfig};

const MAX_FILE_BYTES: u64 = 1 << 20;

/// The configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The rate limit of each client. Off by default.
    #[serde(default)]
    pub(super) limit: Option<RateLimitConfig>,
    /// The clients that may send requests. Authentication is off if this is empty.
    #[serde(default, rename = "client")]
    pub(super) clients: Vec<ClientConfig>,
    /// The policy of services with upstreams.
    #[serde(default)]
    pub(super) policy: PolicyConfig,
    /// The policies of services with a URL.
    #[serde(default)]
    pub(super) policies: seawall::config::Config,
    /// The connections to all upstreams.
    #[serde(default)]
    pub(super) connections: ConnectionConfig,
    #[serde(default, rename = "service")]
    pub(super) services: Vec<ServiceConfig>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct RateLimitConfig {
    pub(super) requests_per_minute: NonZeroU32,
    /// The number of requests that an idle client may send at once.
    pub(super) burst: NonZeroU32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientConfig {
    pub(super) name: Spanned<String>,
    /// The environment variable with the token, which the client sends as its API key.
    pub(super) token_env: ApiKey,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PolicyConfig {
    /// The timeout of one attempt, until the response headers arrive.
    #[serde(with = "humantime_serde")]
    pub(super) attempt: Duration,
    /// The timeout of all attempts and waits, until the response headers arrive.
    #[serde(with = "humantime_serde")]
    pub(super) total: Duration,
    /// The timeout between two frames of a response body.
    #[serde(with = "humantime_serde")]
    pub(super) idle: Duration,
    /// The maximum number of retries, not counting the first attempt.
    pub(super) retries: u32,
    /// Whether to retry requests that may have been processed.
    pub(super) any_method: bool,
    /// The maximum size of a request body that is kept for a retry, in bytes.
    pub(super) body_limit: usize,
    /// The number of consecutive failures that opens a circuit.
    pub(super) open_after: NonZeroU32,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(300),
            total: Duration::from_secs(600),
            idle: Duration::from_secs(300),
            retries: 3,
            any_method: false,
            body_limit: 4 << 20,
            open_after: const { NonZeroU32::new(5).unwrap() },
        }
    }
}

/// A service at `/NAME`, with either a URL or upstreams.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceConfig {
    pub(super) name: Spanned<ServiceName>,
    /// The only upstream of the service. Requests keep their credentials.
    #[serde(default, deserialize_with = "deserialize_url")]
    pub(super) url: Option<Uri>,
    /// Whether to use HTTP/2 for `url`.
    #[serde(default)]
    pub(super) http2: bool,
    #[serde(default, rename = "upstream")]
    pub(super) upstreams: Vec<UpstreamConfig>,
}

/// An upstream of a service that balances its requests.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct UpstreamConfig {
    #[serde(default, deserialize_with = "deserialize_url")]
    pub(super) url: Option<Uri>,
    /// Whether to use HTTP/2 for `url`.
    #[serde(default)]
    pub(super) http2: bool,
    /// The behavior of a mock upstream, which replaces the URL.
    #[serde(default)]
    pub(super) script: Option<MockBehavior>,
    /// The environment variable with the API key. Without one, the client's credentials are
    /// forwarded.
    #[serde(default)]
    pub(super) api_key_env: Option<ApiKey>,
    #[serde(default)]
    pub(super) api_key_header: ApiKeyHeader,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct ServiceName(pub(super) String);

impl TryFrom<String> for ServiceName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, &'static str> {
        cli::validate_name(&name).map(|()| Self(name))
    }
}

fn deserialize_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uri>, D::Error> {
    cli::parse_url(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

impl Config {
    /// Loads and validates the file. `listen` is the address that the gateway listens on.
    pub(crate) fn load(path: &Path, listen: SocketAddr) -> Result<Self, ConfigError> {
        let file = path.display();
        let read_error = |error| ConfigError(format!("cannot read {file}: {error}"));
        let mut bytes = Vec::new();
        let opened = File::open(path).map_err(read_error)?;
        opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(read_error)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(ConfigError(format!("{file}: larger than 1 MiB")));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            ConfigError(format!("{file}: not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
        })?;
        let config: Self =
            toml::from_str(&text).map_err(|error| ConfigError::from_toml(path, &text, &error))?;
        config.validate(path, &text, listen).map(|()| config)
    }

    fn validate(&self, path: &Path, text: &str, listen: SocketAddr) -> Result<(), ConfigError> {
        let file = path.display();
        if self.services.is_empty() {
            return Err(ConfigError(format!("{file}: expected at least one [[service]]")));
        }
        self.validate_services(path, text)?;
        self.validate_clients(path, text)?;
        let PolicyConfig { attempt, total, idle, .. } = self.policy;
        if attempt.is_zero() || total < attempt || idle.is_zero() {
            let message = "[policy]: expected 0s < attempt <= total, and 0s < idle";
            return Err(ConfigError(format!("{file}: {message}")));
        }
        if self.has_api_keys() && self.clients.is_empty() && !listen.ip().is_loopback() {
            return Err(ConfigError(format!(
                "{file}: every host that reaches {listen} could use the API keys: expected a [[client]] or a loopback address"
            )));
        }
        Ok(())
    }

    fn validate_services(&self, path: &Path, text: &str) -> Result<(), ConfigError> {
        for (index, service) in self.services.iter().enumerate() {
            let name = &service.name;
            let error = |message: &str| Err(ConfigError::at(path, text, name.span(), message));
            if self.services[..index].iter().any(|other| other.name.as_ref() == name.as_ref()) {
                return error(&format!(
                    "`{}` is already the name of another service",
                    name.as_ref().0
                ));
            }
            let message = if service.upstreams.is_empty() == service.url.is_none() {
                "expected either a url or at least one upstream"
            } else if service
                .upstreams
                .iter()
                .any(|upstream| upstream.url.is_some() == upstream.script.is_some())
            {
                "expected an upstream to have either a url or a script"
            } else {
                continue;
            };
            return error(&format!("service `{}`: {message}", name.as_ref().0));
        }
        Ok(())
    }

    fn validate_clients(&self, path: &Path, text: &str) -> Result<(), ConfigError> {
        for (index, client) in self.clients.iter().enumerate() {
            let name = &client.name;
            let earlier = &self.clients[..index];
            let message = if earlier.iter().any(|other| other.name.as_ref() == name.as_ref()) {
                "is already the name of another client"
            } else if earlier.iter().any(|other| other.token_env == client.token_env) {
                "has the token of another client"
            } else {
                continue;
            };
            let message = format!("`{}` {message}", name.as_ref());
            return Err(ConfigError::at(path, text, name.span(), &message));
        }
        Ok(())
    }

    pub(super) fn has_api_keys(&self) -> bool {
        self.services
            .iter()
            .flat_map(|service| &service.upstreams)
            .any(|upstream| upstream.api_key_env.is_some())
    }
}
