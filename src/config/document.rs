//! The deserialized form of a file, and its conversion into a [`Config`].

use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    Config,
    policy::Policy,
    prefix::Prefix,
    routes::Routes,
    sections::{BadGateway, CircuitBreaker, InFlight, Logging, NextHop, Retry, Timeouts},
    validation_error::{PathSegment, ValidationError},
    values::{OptionalValue, OrOff, Tables, Toggle, table},
};

/// A configuration file.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "config-schema", schemars(rename = "Config"))]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct ConfigDocument {
    /// The policy for requests without a route. Routes inherit the keys they do not set.
    #[serde(deserialize_with = "table")]
    pub(super) default: OptionalValue<Policy>,
    /// Policies by URL prefix. The longest matching prefix wins.
    pub(super) route: Tables<Route>,
}

/// The policy for one URL prefix.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Route {
    /// Scheme, authority and path: `https://`, `https://api.example.com` or
    /// `https://api.example.com/v1`.
    prefix: Prefix,
    /// Timeouts for each part of a call.
    #[serde(default, deserialize_with = "table")]
    timeouts: Timeouts,
    /// Retries, or "off".
    #[serde(default)]
    retry: OptionalValue<Toggle<Retry>>,
    /// Circuit breaker, one circuit per host and port, or "off".
    #[serde(default)]
    circuit_breaker: OptionalValue<Toggle<CircuitBreaker>>,
    /// Maximum number of calls in flight per host and port, or "off".
    #[serde(default)]
    in_flight: OptionalValue<OrOff<InFlight>>,
    /// Header that carries the deadline to the next hop, or "off".
    #[serde(default)]
    next_hop: OptionalValue<Toggle<NextHop>>,
    /// Inspection of failed responses, or "off".
    #[serde(default)]
    bad_gateway: OptionalValue<Toggle<BadGateway>>,
    /// Log of each call, or "off".
    #[serde(default)]
    logging: OptionalValue<Toggle<Logging>>,
}

impl Route {
    fn into_parts(self) -> (Prefix, Policy) {
        let Self { prefix, timeouts, retry, circuit_breaker, in_flight, next_hop, .. } = self;
        let (bad_gateway, logging) = (self.bad_gateway, self.logging);
        let policy =
            Policy { timeouts, retry, circuit_breaker, in_flight, next_hop, bad_gateway, logging };
        (prefix, policy)
    }
}

impl ConfigDocument {
    /// Applies inheritance and checks the rules across keys.
    pub(super) fn validate(self) -> Result<Config, ValidationError> {
        if self.default.0.is_none() && self.route.0.is_empty() {
            // An empty file is often one that another program has truncated and is about to write.
            return Err(ValidationError::new("is empty, expected [default] or [[route]]"));
        }
        let default = self.default.0.unwrap_or_default();
        // The default inherits nothing, so all its keys are its own.
        default.check(&default).map_err(|error| error.at("default"))?;
        let mut routes = Routes::default();
        for (index, route) in self.route.0.into_iter().enumerate() {
            let (prefix, own) = route.into_parts();
            let policy = own.clone().inherit(&default);
            policy.check(&own).map_err(|error| error.at_index(index).at("route"))?;
            routes.add(prefix, policy).map_err(|first| {
                // The message continues with " in" and the position of the first.
                ValidationError::new("duplicate prefix, first used")
                    .at("prefix")
                    .at_index(index)
                    .at("route")
                    .conflicts_with([
                        PathSegment::Key("route"),
                        PathSegment::Index(first),
                        PathSegment::Key("prefix"),
                    ])
            })?;
        }
        Ok(Config { default, routes })
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        table::<ConfigDocument, D>(deserializer)?.validate().map_err(D::Error::custom)
    }
}
