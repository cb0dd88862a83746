//! The measured proxies, each of which a script in the folder of peers starts.

/// A proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Plain,
    Gateway,
    GatewayConfig,
    GatewayLlm,
    Before,
    Pingora,
    Nginx,
    HaProxy,
    Envoy,
    Caddy,
    Traefik,
    LiteLlm,
    Portkey,
}

impl Subject {
    /// The reverse proxies that have an access log. The gateway is the first.
    pub(crate) const WITH_LOG: &[Self] = &[
        Self::Gateway,
        Self::GatewayConfig,
        Self::Before,
        Self::Pingora,
        Self::Nginx,
        Self::HaProxy,
        Self::Envoy,
        Self::Caddy,
        Self::Traefik,
    ];

    /// All reverse proxies. The gateway is the first.
    pub(crate) const REVERSE_PROXIES: &[Self] = &[
        Self::Gateway,
        Self::GatewayConfig,
        Self::Before,
        Self::Plain,
        Self::Pingora,
        Self::Nginx,
        Self::HaProxy,
        Self::Envoy,
        Self::Caddy,
        Self::Traefik,
    ];

    /// The proxies of LLM APIs. The gateway is the first.
    pub(crate) const OF_LLM_APIS: &[Self] = &[Self::GatewayLlm, Self::LiteLlm, Self::Portkey];

    /// The proxies that retry after a 502. The gateway is the first.
    pub(crate) const RETRYING: &[Self] = &[
        Self::Gateway,
        Self::GatewayConfig,
        Self::Before,
        Self::Pingora,
        Self::Nginx,
        Self::HaProxy,
        Self::Envoy,
        Self::Traefik,
    ];

    /// The proxies that are counted by callgrind.
    pub(crate) const COUNTED: &[Self] = &[
        Self::Gateway,
        Self::GatewayConfig,
        Self::Before,
        Self::Plain,
        Self::Pingora,
        Self::Nginx,
    ];

    /// Returns the name of the script.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gateway => "gateway",
            Self::GatewayConfig => "gateway-config",
            Self::GatewayLlm => "gateway-llm",
            Self::Before => "before",
            Self::Pingora => "pingora",
            Self::Nginx => "nginx",
            Self::HaProxy => "haproxy",
            Self::Envoy => "envoy",
            Self::Caddy => "caddy",
            Self::Traefik => "traefik",
            Self::LiteLlm => "litellm",
            Self::Portkey => "portkey",
        }
    }

    /// Returns whether it proxies an LLM API only.
    pub(crate) fn is_of_llm_apis(self) -> bool {
        Self::OF_LLM_APIS.contains(&self)
    }

    pub(crate) fn has_log(self) -> bool {
        Self::WITH_LOG.contains(&self)
    }
}
