//! Checks the rules across the keys of a policy. A key that is not set counts with its default.
//!
//! `merged` is the policy after inheritance, `own` before it. An error names a key of `own`,
//! because inherited keys were checked with the default policy.

use std::{num::NonZeroU32, time::Duration};

use super::{
    sections::{AdaptiveBounds, CircuitBreaker, Timeouts},
    validation_error::ValidationError,
    values::{DurationValue, OptionalValue, OrOff, Positive, format_duration},
};
use crate::{in_flight::AdaptiveLimit, standard::Timeouts as DefaultTimeouts};

/// A key and its value in a comparison.
struct Operand {
    key: &'static str,
    value: String,
    /// Set in the file, in contrast to a default.
    is_set: bool,
    /// Set in the policy itself, in contrast to an inherited value.
    is_own: bool,
}

impl Operand {
    fn describe(&self) -> String {
        format!("`{}`, which {} {}", self.key, self.verb(), self.value)
    }

    fn verb(&self) -> &'static str {
        if self.is_set { "is" } else { "defaults to" }
    }
}

/// Returns the error that `low` exceeds `high`.
fn exceeds(low: &Operand, high: &Operand) -> ValidationError {
    if low.is_own {
        ValidationError::new(format!("is {}, expected at most {}", low.value, high.describe()))
            .at(low.key)
    } else {
        ValidationError::new(format!("is {}, expected at least {}", high.value, low.describe()))
            .at(high.key)
    }
}

/// Checks that `attempt` is at most `total`, and that `total` limits the headers in `trust`.
///
/// A longer attempt timeout would never take effect.
pub(super) fn check_timeouts(merged: &Timeouts, own: &Timeouts) -> Result<(), ValidationError> {
    let default = DefaultTimeouts::default();
    let effective = |value: &OptionalValue<OrOff<DurationValue<1>>>, default: Option<Duration>| {
        value.get().map_or(default, |timeout| timeout.0.map(|duration| duration.0))
    };
    let attempt = effective(&merged.attempt, default.attempt);
    let total = effective(&merged.total, default.total);
    let operand =
        |key,
         timeout: Option<Duration>,
         field: fn(&Timeouts) -> &OptionalValue<OrOff<DurationValue<1>>>| Operand {
            key,
            value: timeout.map_or("off".to_owned(), format_duration),
            is_set: field(merged).0.is_some(),
            is_own: field(own).0.is_some(),
        };
    if total.is_some_and(|total| attempt.is_none_or(|attempt| attempt > total)) {
        return Err(exceeds(
            &operand("attempt", attempt, |timeouts| &timeouts.attempt),
            &operand("total", total, |timeouts| &timeouts.total),
        ));
    }
    let trusts_headers = merged.trust.as_ref().is_some_and(|headers| !headers.0.is_empty());
    if trusts_headers && total.is_none() {
        return Err(if own.trust.0.is_some() {
            ValidationError::new(
                "headers are trusted, expected `total` as their limit, but it is off",
            )
            .at("trust")
        } else {
            ValidationError::new("is off, expected a limit for the headers that `trust` names")
                .at("total")
        });
    }
    Ok(())
}

/// Checks that `open_for` is at most `open_max`, if both are set.
pub(super) fn check_open_durations(
    merged: &CircuitBreaker,
    own: &CircuitBreaker,
) -> Result<(), ValidationError> {
    let (Some(open_for), Some(open_max)) = (merged.open_for.get(), merged.open_max.get()) else {
        return Ok(());
    };
    if open_for.0 <= open_max.0 {
        return Ok(());
    }
    let operand = |key, duration, own: &OptionalValue<DurationValue<1>>| Operand {
        key,
        value: format_duration(duration),
        is_set: true,
        is_own: own.0.is_some(),
    };
    Err(exceeds(
        &operand("open_for", open_for.0, &own.open_for),
        &operand("open_max", open_max.0, &own.open_max),
    ))
}

/// Checks that a ratio or a number of consecutive failures can open the circuit.
pub(super) fn check_can_open(
    merged: &CircuitBreaker,
    own: &CircuitBreaker,
) -> Result<(), ValidationError> {
    let has_ratio = !matches!(merged.failure_ratio.as_ref(), Some(OrOff(None)));
    let has_consecutive = matches!(merged.consecutive_failures.as_ref(), Some(OrOff(Some(_))));
    if has_ratio || has_consecutive {
        return Ok(());
    }
    let operand = |key, is_set, is_own| Operand { key, value: "off".to_owned(), is_set, is_own };
    let ratio = operand("failure_ratio", true, own.failure_ratio.0.is_some());
    let consecutive = operand(
        "consecutive_failures",
        merged.consecutive_failures.0.is_some(),
        own.consecutive_failures.0.is_some(),
    );
    let (invalid, other) = if ratio.is_own { (ratio, consecutive) } else { (consecutive, ratio) };
    let message = format!(
        "is off, expected a value: `{}` {} off, so the circuit could not open; to disable it, set \
         `circuit_breaker = \"off\"`",
        other.key,
        other.verb()
    );
    Err(ValidationError::new(message).at(invalid.key))
}

/// Checks that `min` is at most `max`, and that `initial`, if set, is between them.
pub(super) fn check_bounds(
    merged: &AdaptiveBounds,
    own: &AdaptiveBounds,
) -> Result<(), ValidationError> {
    let default = AdaptiveLimit::new();
    let operand =
        |key, default: NonZeroU32, field: fn(&AdaptiveBounds) -> &OptionalValue<Positive>| {
            let limit = field(merged).get().map_or(default, |limit| limit.0);
            let (is_set, is_own) = (field(merged).0.is_some(), field(own).0.is_some());
            (limit, Operand { key, value: limit.to_string(), is_set, is_own })
        };
    let min = operand("min", default.min, |bounds| &bounds.min);
    let max = operand("max", default.max, |bounds| &bounds.max);
    let initial = Some(operand("initial", default.initial, |bounds| &bounds.initial))
        .filter(|(_, operand)| operand.is_set);
    let pairs = [
        Some((&min, &max)),
        initial.as_ref().map(|initial| (&min, initial)),
        initial.as_ref().map(|initial| (initial, &max)),
    ];
    match pairs.into_iter().flatten().find(|(low, high)| low.0 > high.0) {
        Some((low, high)) => Err(exceeds(&low.1, &high.1)),
        None => Ok(()),
    }
}
