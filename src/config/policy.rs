use serde::Deserialize;

use super::{
    sections::{BadGateway, CircuitBreaker, InFlight, Inherit, Logging, NextHop, Retry, Timeouts},
    validate,
    validation_error::ValidationError,
    values::{OptionalValue, OrOff, Toggle, table},
};

/// The settings for the requests of one route.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(crate) struct Policy {
    /// Timeouts for each part of a call.
    #[serde(deserialize_with = "table")]
    pub(crate) timeouts: Timeouts,
    /// Retries, or "off".
    pub(crate) retry: OptionalValue<Toggle<Retry>>,
    /// Circuit breaker, one circuit per host and port, or "off".
    pub(crate) circuit_breaker: OptionalValue<Toggle<CircuitBreaker>>,
    /// Maximum number of calls in flight per host and port, or "off".
    pub(crate) in_flight: OptionalValue<OrOff<InFlight>>,
    /// Header that carries the deadline to the next hop, or "off".
    pub(crate) next_hop: OptionalValue<Toggle<NextHop>>,
    /// Inspection of failed responses, or "off".
    pub(crate) bad_gateway: OptionalValue<Toggle<BadGateway>>,
    /// Log of each call, or "off".
    pub(crate) logging: OptionalValue<Toggle<Logging>>,
}

impl Policy {
    /// Sets the keys that are not set to their values in `default`.
    pub(crate) fn inherit(self, default: &Self) -> Self {
        Self {
            timeouts: self.timeouts.inherit(&default.timeouts),
            retry: self.retry.inherit(&default.retry),
            circuit_breaker: self.circuit_breaker.inherit(&default.circuit_breaker),
            in_flight: self.in_flight.inherit(&default.in_flight),
            next_hop: self.next_hop.inherit(&default.next_hop),
            bad_gateway: self.bad_gateway.inherit(&default.bad_gateway),
            logging: self.logging.inherit(&default.logging),
        }
    }

    /// Checks the rules across keys. `self` is the policy after inheritance, `own` before it.
    ///
    /// An error names a key of `own`, because inherited keys were checked with the default policy.
    pub(crate) fn check(&self, own: &Self) -> Result<(), ValidationError> {
        validate::check_timeouts(&self.timeouts, &own.timeouts)
            .map_err(|error| error.at("timeouts"))?;
        if let Some(Toggle::On(retry)) = own.retry.as_ref() {
            retry.check().map_err(|error| error.at("retry"))?;
        }
        if let (Some(Toggle::On(merged)), Some(Toggle::On(own))) =
            (self.circuit_breaker.as_ref(), own.circuit_breaker.as_ref())
        {
            validate::check_open_durations(merged, own)
                .and_then(|()| validate::check_can_open(merged, own))
                .map_err(|error| error.at("circuit_breaker"))?;
        }
        if let (
            Some(OrOff(Some(InFlight::Adaptive(merged)))),
            Some(OrOff(Some(InFlight::Adaptive(own)))),
        ) = (self.in_flight.as_ref(), own.in_flight.as_ref())
        {
            validate::check_bounds(merged, own).map_err(|error| error.at("in_flight"))?;
        }
        if let (Some(Toggle::On(merged)), Some(Toggle::On(_))) =
            (self.next_hop.as_ref(), own.next_hop.as_ref())
        {
            merged.check().map_err(|error| error.at("next_hop"))?;
        }
        Ok(())
    }
}
