use serde::Deserialize;

use super::{
    sections::{BadGateway, CircuitBreaker, InFlight, Inherit, Logging, NextHop, Retry, Timeouts},
    validate,
    validation_error::ValidationError,
    values::{OptionalValue, OrOff, Toggle, table},
};

/// What is done for the requests of one route.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(crate) struct Policy {
    /// How long each part of a call may take.
    #[serde(deserialize_with = "table")]
    pub(crate) timeouts: Timeouts,
    /// Which requests are sent again, how often and when.
    pub(crate) retry: OptionalValue<Toggle<Retry>>,
    /// When calls of an upstream are refused because it is down.
    pub(crate) circuit_breaker: OptionalValue<Toggle<CircuitBreaker>>,
    /// How many calls of one host and port may be under way at once.
    pub(crate) in_flight: OptionalValue<OrOff<InFlight>>,
    /// How the next server is told how long it has.
    pub(crate) next_hop: OptionalValue<Toggle<NextHop>>,
    /// What is looked at in failed responses.
    pub(crate) bad_gateway: OptionalValue<Toggle<BadGateway>>,
    /// The line that each call leaves in the log.
    pub(crate) logging: OptionalValue<Toggle<Logging>>,
}

impl Policy {
    /// With what it does not say from `default`.
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

    /// Whether its values agree with each other. What is wrong is said of a key that stands in `own`: of what was inherited
    /// it has been said already.
    pub(crate) fn check(&self, own: &Self) -> Result<(), ValidationError> {
        validate::check_timeouts(&self.timeouts, &own.timeouts)
            .map_err(|wrong| wrong.at("timeouts"))?;
        if let Some(Toggle::On(retry)) = own.retry.as_ref() {
            retry.check().map_err(|wrong| wrong.at("retry"))?;
        }
        if let (Some(Toggle::On(all)), Some(Toggle::On(own))) =
            (self.circuit_breaker.as_ref(), own.circuit_breaker.as_ref())
        {
            validate::check_open_durations(all, own)
                .and_then(|()| validate::check_can_open(all, own))
                .map_err(|wrong| wrong.at("circuit_breaker"))?;
        }
        if let (
            Some(OrOff(Some(InFlight::Adaptive(all)))),
            Some(OrOff(Some(InFlight::Adaptive(own)))),
        ) = (self.in_flight.as_ref(), own.in_flight.as_ref())
        {
            validate::check_bounds(all, own).map_err(|wrong| wrong.at("in_flight"))?;
        }
        if let (Some(Toggle::On(all)), Some(Toggle::On(_))) =
            (self.next_hop.as_ref(), own.next_hop.as_ref())
        {
            all.check().map_err(|wrong| wrong.at("next_hop"))?;
        }
        Ok(())
    }
}
