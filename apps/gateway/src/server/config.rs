//! The `[server]` table of the configuration file.

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use crate::config::deserialize_duration;

/// The limits of callers' connections.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerConfig {
    /// The time to receive a request head, from its first byte. For the first HTTP/1.1 request, it
    /// starts with the connection.
    #[serde(deserialize_with = "deserialize_duration")]
    pub(super) head_timeout: Duration,
    /// The maximum time between two requests on a connection. Up to 10 % less for each connection.
    #[serde(deserialize_with = "deserialize_duration")]
    pub(super) idle_timeout: Duration,
    /// The maximum time for which a caller accepts no bytes of a response.
    #[serde(deserialize_with = "deserialize_duration")]
    pub(super) send_timeout: Duration,
    /// The maximum time for requests in flight to complete after the shutdown signal.
    #[serde(deserialize_with = "deserialize_duration")]
    pub(super) drain_timeout: Duration,
    /// The time after the shutdown signal for which the server still accepts connections, although
    /// it is not ready. A load balancer notices meanwhile.
    #[serde(deserialize_with = "deserialize_duration")]
    pub(super) shutdown_delay: Duration,
    /// The maximum number of connections. At the maximum, new ones wait in the listen backlog.
    pub(super) max_connections: NonZeroU32,
    /// Serves TLS if set.
    pub(super) tls: Option<TlsConfig>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            // The default of hyper.
            head_timeout: Duration::from_secs(30),
            // The defaults of nginx.
            idle_timeout: Duration::from_secs(75),
            send_timeout: Duration::from_secs(60),
            // As long as the default `total` of `[policy]`.
            drain_timeout: Duration::from_secs(600),
            shutdown_delay: Duration::ZERO,
            max_connections: const { NonZeroU32::new(10_000).unwrap() },
            tls: None,
        }
    }
}

/// The certificate of the server.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsConfig {
    /// The PEM file with the certificate chain, leaf first.
    pub(super) cert: Spanned<PathBuf>,
    /// The PEM file with the private key.
    pub(super) key: Spanned<PathBuf>,
    /// The maximum time of a TLS handshake.
    #[serde(default = "default_handshake_timeout", deserialize_with = "deserialize_duration")]
    pub(super) handshake_timeout: Duration,
}

fn default_handshake_timeout() -> Duration {
    Duration::from_secs(10)
}
