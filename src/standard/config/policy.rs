use std::time::Duration;

use serde::Deserialize;

use super::{
    sections::{BadGateway, CircuitBreaker, Inherit, Logging, Retry, Timeouts},
    values::{Given, Off, Positive, Switch, Time, table, written},
    wrong::Wrong,
};
use crate::standard::Timeouts as Defaults;

/// What is done for the requests of one route.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Policy {
    /// How long each part of a call may take.
    #[serde(deserialize_with = "table")]
    pub(super) timeouts: Timeouts,
    /// Which requests are sent again, how often and when.
    pub(super) retry: Given<Switch<Retry>>,
    /// When calls of an upstream are refused because it is down.
    pub(super) circuit_breaker: Given<Switch<CircuitBreaker>>,
    /// How many calls of one host and port may be under way at once.
    pub(super) in_flight: Given<Off<Positive>>,
    /// What is looked at in failed responses.
    pub(super) bad_gateway: Given<Switch<BadGateway>>,
    /// The line that each call leaves in the log.
    pub(super) logging: Given<Switch<Logging>>,
}

impl Policy {
    /// With what it does not say from `default`.
    pub(super) fn inherit(self, default: &Self) -> Self {
        Self {
            timeouts: self.timeouts.inherit(&default.timeouts),
            retry: self.retry.inherit(&default.retry),
            circuit_breaker: self.circuit_breaker.inherit(&default.circuit_breaker),
            in_flight: Given(self.in_flight.0.or(default.in_flight.0)),
            bad_gateway: self.bad_gateway.inherit(&default.bad_gateway),
            logging: self.logging.inherit(&default.logging),
        }
    }

    /// Whether its values agree with each other. What is wrong is said of a key that stands in `own`: of what was inherited
    /// it has been said already.
    pub(super) fn check(&self, own: &Self) -> Result<(), Wrong> {
        check_timeouts(&self.timeouts, &own.timeouts).map_err(|wrong| wrong.at("timeouts"))?;
        if let Some(Switch::On(retry)) = own.retry.as_ref() {
            retry.check().map_err(|wrong| wrong.at("retry"))?;
        }
        if let (Some(Switch::On(all)), Some(Switch::On(own))) =
            (self.circuit_breaker.as_ref(), own.circuit_breaker.as_ref())
        {
            check_open(all, own).map_err(|wrong| wrong.at("circuit_breaker"))?;
        }
        Ok(())
    }
}

/// An attempt has a limit wherever all of them have one, and no longer one. A time that is not given is the default, here as
/// there: otherwise a longer attempt would be allowed, and never had.
fn check_timeouts(all: &Timeouts, own: &Timeouts) -> Result<(), Wrong> {
    let default = Defaults::default();
    let time = |given: &Given<Off<Time<1>>>, default: Option<Duration>| match given.get() {
        Some(time) => (time.0.map(|time| time.0), ""),
        None => (default, " unless set"),
    };
    let (attempt, attempt_how) = time(&all.attempt, default.attempt);
    let (total, total_how) = time(&all.total, default.total);
    let Some(total) = total.filter(|total| attempt.is_none_or(|attempt| attempt > *total)) else {
        return Ok(());
    };
    let (total, attempt) = (written(total), attempt.map_or("off".to_owned(), written));
    Err(if own.attempt.0.is_some() {
        Wrong::new(format!(
            "is {attempt}, expected no more than `total`, which is {total}{total_how}"
        ))
        .at("attempt")
    } else {
        Wrong::new(format!(
            "is {total}, expected no less than `attempt`, which is {attempt}{attempt_how}"
        ))
        .at("total")
    })
}

fn check_open(all: &CircuitBreaker, own: &CircuitBreaker) -> Result<(), Wrong> {
    let (Some(first), Some(longest)) = (all.open_for.get(), all.open_max.get()) else {
        return Ok(());
    };
    if first.0 <= longest.0 {
        return Ok(());
    }
    let (first, longest) = (written(first.0), written(longest.0));
    Err(if own.open_for.0.is_some() {
        Wrong::new(format!("is {first}, expected no more than `open_max`, which is {longest}"))
            .at("open_for")
    } else {
        Wrong::new(format!("is {longest}, expected no less than `open_for`, which is {first}"))
            .at("open_max")
    })
}
