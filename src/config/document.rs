//! A file as it is written, and what it comes to.

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

/// The whole of it.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "config-schema", schemars(rename = "Config"))]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct ConfigDocument {
    /// The policy of requests that no route takes, and of what a route does not say.
    #[serde(deserialize_with = "table")]
    pub(super) default: OptionalValue<Policy>,
    /// Policies for URLs that begin with a prefix; the longest wins.
    pub(super) route: Tables<Route>,
}

/// The policy for URLs that begin with a prefix.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Route {
    /// Scheme, host and port, path: `https://`, `https://api.example.com` or `https://api.example.com/v1`.
    prefix: Prefix,
    /// How long each part of a call may take.
    #[serde(default, deserialize_with = "table")]
    timeouts: Timeouts,
    /// Which requests are sent again, how often and when.
    #[serde(default)]
    retry: OptionalValue<Toggle<Retry>>,
    /// When calls of an upstream are refused because it is down.
    #[serde(default)]
    circuit_breaker: OptionalValue<Toggle<CircuitBreaker>>,
    /// How many calls of one host and port may be under way at once.
    #[serde(default)]
    in_flight: OptionalValue<OrOff<InFlight>>,
    /// How the next server is told how long it has.
    #[serde(default)]
    next_hop: OptionalValue<Toggle<NextHop>>,
    /// What is looked at in failed responses.
    #[serde(default)]
    bad_gateway: OptionalValue<Toggle<BadGateway>>,
    /// The line that each call leaves in the log.
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
    /// What it comes to, if all of it is right.
    pub(super) fn checked(self) -> Result<Config, ValidationError> {
        if self.default.0.is_none() && self.route.0.is_empty() {
            // Most likely somebody is about to write it.
            return Err(ValidationError::new(
                "there is nothing in it, expected [default] or [[route]]",
            ));
        }
        let default = self.default.0.unwrap_or_default();
        default.check(&default).map_err(|wrong| wrong.at("default"))?;
        let mut routes = Routes::default();
        for (index, route) in self.route.0.into_iter().enumerate() {
            let (prefix, own) = route.into_parts();
            let policy = own.clone().inherit(&default);
            policy.check(&own).map_err(|wrong| wrong.nth(index).at("route"))?;
            routes.add(prefix, policy).map_err(|first| {
                ValidationError::new("the same prefix as").at("prefix").nth(index).at("route").also(
                    [
                        PathSegment::Key("route"),
                        PathSegment::Index(first),
                        PathSegment::Key("prefix"),
                    ],
                )
            })?;
        }
        Ok(Config { default, routes })
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        table::<ConfigDocument, D>(from)?.checked().map_err(D::Error::custom)
    }
}
