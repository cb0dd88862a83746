//! The settings of forwarding.

use std::time::Duration;

use serde::Deserialize;

use super::trusted_proxies::TrustedProxies;
use crate::config::deserialize_duration;

/// The `[forwarding]` section of the configuration file.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ForwardingConfig {
    /// The networks of the proxies in front of the gateway, for example `["10.0.0.0/8"]`. Only
    /// their `X-Forwarded-*` and `Forwarded` fields are kept.
    pub(super) trusted_proxies: TrustedProxies,
    /// The time without data in either direction after which an upgraded connection is closed.
    /// Default: 1 hour, because a realtime session may be silent.
    #[serde(deserialize_with = "deserialize_duration")]
    pub(super) tunnel_idle: Duration,
}

impl Default for ForwardingConfig {
    fn default() -> Self {
        Self {
            trusted_proxies: TrustedProxies::default(),
            tunnel_idle: Duration::from_secs(60 * 60),
        }
    }
}
