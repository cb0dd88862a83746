//! The `[connections]` table: the settings of all connections to upstreams.

use std::time::Duration;

use serde::Deserialize;

use super::trust::CaFile;
use crate::config::deserialize_duration;

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConnectionConfig {
    /// The timeout of name lookup, TCP and TLS handshakes together.
    #[serde(deserialize_with = "deserialize_duration")]
    pub(super) connect_timeout: Duration,
    /// The time after which an idle connection is not used again. It is closed within twice this
    /// time.
    #[serde(deserialize_with = "deserialize_duration")]
    pub(super) idle_timeout: Duration,
    /// The maximum number of idle connections per host. Others are closed after their response.
    pub(super) max_idle_per_host: usize,
    /// The time without a frame on an HTTP/2 connection with requests, after which the gateway
    /// sends a ping.
    #[serde(deserialize_with = "deserialize_duration")]
    pub(super) http2_ping_interval: Duration,
    /// Additional certificate authorities.
    pub(super) ca_file: Option<CaFile>,
    /// Whether to connect directly although a variable such as `HTTPS_PROXY` is set.
    pub(super) ignore_proxy_variables: bool,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            // A server that closes first makes a request fail that meets this moment. AWS's load
            // balancer closes after 60 s, nginx after 75 s.
            idle_timeout: Duration::from_secs(30),
            max_idle_per_host: 256,
            // Servers of gRPC permit one ping in five minutes, and close the connection at the
            // fourth without data in between. A silent call reaches other timeouts before then.
            http2_ping_interval: Duration::from_secs(90),
            ca_file: None,
            ignore_proxy_variables: false,
        }
    }
}
