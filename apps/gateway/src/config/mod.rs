//! The configuration file of the gateway.

mod duration;
mod error;
mod policy;
mod service;

use std::{
    fs::File,
    io::Read,
    net::SocketAddr,
    ops::Range,
    path::{Path, PathBuf},
};

use http::Uri;
use serde::Deserialize;
use toml::Spanned;

pub(crate) use self::{
    duration::deserialize_duration,
    error::ConfigError,
    policy::{Policy, PolicyTable},
    service::{ServiceConfig, UpstreamConfig},
};
use crate::{
    access::{self, AccessConfig, AdminConfig, AllowedOrigin, ClientConfig, RateLimitConfig},
    client::ConnectionConfig,
    forward::ForwardingConfig,
    server::ServerConfig,
};

const MAX_FILE_BYTES: u64 = 1 << 20;

/// The configuration of the gateway: that of a file, of the command line, or of the demo.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The rate limit of each client. Off by default.
    #[serde(default)]
    pub(crate) limit: Option<RateLimitConfig>,
    /// The clients that may send requests. Authentication is off if this is empty.
    #[serde(default, rename = "client")]
    clients: Vec<ClientConfig>,
    /// Access to the dashboard, the metrics and the controls.
    #[serde(default)]
    pub(crate) admin: Option<AdminConfig>,
    /// The origins whose pages may use services to which the gateway adds API keys.
    #[serde(default)]
    allowed_origins: Vec<AllowedOrigin>,
    /// The policy of all services, whose own tables take precedence.
    #[serde(default)]
    policy: Option<Spanned<PolicyTable>>,
    #[serde(default, rename = "service")]
    pub(crate) services: Vec<ServiceConfig>,
    /// The proxies in front of the gateway, and upgrades.
    #[serde(default)]
    pub(crate) forwarding: ForwardingConfig,
    /// The connections to all upstreams.
    #[serde(default)]
    pub(crate) connections: ConnectionConfig,
    /// The limits of callers' connections.
    #[serde(default)]
    pub(crate) server: ServerConfig,
    /// The file, or `None` with the command line and in the demo.
    #[serde(skip)]
    source: Option<Source>,
    /// The policy below `[policy]`.
    #[serde(skip)]
    default_policy: Policy,
}

/// The file of a configuration, for the positions of errors.
#[derive(Clone, Debug)]
struct Source {
    path: PathBuf,
    text: String,
}

impl Config {
    /// Creates the configuration of services with one upstream each.
    pub(crate) fn with_services(
        services: impl IntoIterator<Item = (String, Uri)>,
        policy: Policy,
    ) -> Self {
        let services = services.into_iter().map(|(name, url)| ServiceConfig::new(name, url));
        Self { services: services.collect(), default_policy: policy, ..Self::default() }
    }

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
        let mut config: Self =
            toml::from_str(&text).map_err(|error| ConfigError::from_toml(path, &text, &error))?;
        config.validate(path, &text, listen)?;
        config.source = Some(Source { path: path.to_owned(), text });
        Ok(config)
    }

    /// Returns the policy of a service.
    ///
    /// # Errors
    /// Returns the expectation that the policy does not meet. A loaded file has no such error.
    pub(crate) fn policy_of(&self, service: &ServiceConfig) -> Result<Policy, &'static str> {
        let table = self.policy.as_ref().map(|policy| *policy.as_ref()).unwrap_or_default();
        service.policy.apply_to(table.apply_to(self.default_policy)?)
    }

    /// Returns the settings of access.
    pub(crate) fn access(&self) -> AccessConfig<'_> {
        let Self { clients, admin, allowed_origins, .. } = self;
        AccessConfig { clients, admin: admin.as_ref(), allowed_origins }
    }

    pub(crate) fn has_api_keys(&self) -> bool {
        self.services.iter().any(ServiceConfig::has_api_keys)
    }

    /// Returns the names of the sections that differ from `old`, without the services.
    pub(crate) fn changed_sections(&self, old: &Self) -> Vec<&'static str> {
        [
            ("[limit]", self.limit != old.limit),
            ("[[client]]", self.clients != old.clients),
            ("[admin]", self.admin != old.admin),
            ("allowed_origins", self.allowed_origins != old.allowed_origins),
            ("[policy]", self.policy != old.policy),
            ("[forwarding]", self.forwarding != old.forwarding),
            ("[connections]", self.connections != old.connections),
            ("[server]", self.server != old.server),
        ]
        .into_iter()
        .filter_map(|(name, has_changed)| has_changed.then_some(name))
        .collect()
    }

    /// Creates an error that names the file, if there is one.
    pub(crate) fn error(&self, message: &str) -> ConfigError {
        match &self.source {
            Some(source) => ConfigError(format!("{}: {message}", source.path.display())),
            None => ConfigError(message.into()),
        }
    }

    /// Creates an error about the value of `key`, with the file and the line of the value.
    pub(crate) fn error_at(&self, span: Range<usize>, key: &str, message: &str) -> ConfigError {
        match &self.source {
            Some(Source { path, text }) => {
                ConfigError::at_key(path, text, span, Some(key), message)
            }
            None => ConfigError(format!("{key}: {message}")),
        }
    }

    fn validate(&self, path: &Path, text: &str, listen: SocketAddr) -> Result<(), ConfigError> {
        let file = path.display();
        if self.services.is_empty() {
            return Err(ConfigError(format!("{file}: expected at least one [[service]]")));
        }
        if let Some(policy) = &self.policy
            && let Err(message) = policy.as_ref().apply_to(self.default_policy)
        {
            let message = format!("[policy]: {message}");
            return Err(ConfigError::at(path, text, policy.span(), &message));
        }
        self.validate_services(path, text)?;
        self.validate_access(path, text)?;
        if self.has_api_keys() && self.clients.is_empty() && !listen.ip().is_loopback() {
            return Err(ConfigError(format!(
                "{file}: every host that reaches {listen} could use the API keys: expected a [[client]] or a loopback address"
            )));
        }
        Ok(())
    }

    fn validate_services(&self, path: &Path, text: &str) -> Result<(), ConfigError> {
        for (index, service) in self.services.iter().enumerate() {
            let name = service.name();
            let error =
                |message: &str| Err(ConfigError::at(path, text, service.name.span(), message));
            if self.services[..index].iter().any(|other| other.name() == name) {
                return error(&format!("`{name}` is already the name of another service"));
            }
            if let Err(message) = service.validate_upstreams() {
                return error(&format!("service `{name}`: {message}"));
            }
            if let Err(message) = self.policy_of(service) {
                return error(&format!("service `{name}`: [service.policy]: {message}"));
            }
        }
        Ok(())
    }

    fn validate_access(&self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let is_service = |name: &str| self.services.iter().any(|service| service.name() == name);
        access::validate(&self.access(), is_service)
            .map_err(|(span, message)| ConfigError::at(path, text, span, &message))
    }
}
