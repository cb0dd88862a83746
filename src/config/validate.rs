//! What in a policy does not go together. Of a key that is not given, it is the default that counts, here as there.
//!
//! What is wrong is said of a key that stands in the policy itself, `own`: of what was inherited it has been said already.

use std::{num::NonZeroU32, time::Duration};

use super::{
    sections::{Bounds, CircuitBreaker, Timeouts},
    validation_error::ValidationError,
    values::{DurationValue, OptionalValue, OrOff, Positive, format_duration},
};
use crate::{in_flight::AdaptiveLimit, standard::Timeouts as Defaults};

/// What stands behind a key, to be compared with another.
struct Operand {
    key: &'static str,
    value: String,
    /// Whether it is given at all.
    is_given: bool,
    /// Whether it stands in the policy itself.
    is_own: bool,
}

impl Operand {
    fn describe(&self) -> String {
        let how = if self.is_given { "" } else { " unless set" };
        format!("`{}`, which is {}{how}", self.key, self.value)
    }
}

/// The first is above the second, and must not be.
fn exceeds(low: &Operand, high: &Operand) -> ValidationError {
    if low.is_own {
        ValidationError::new(format!("is {}, expected no more than {}", low.value, high.describe()))
            .at(low.key)
    } else {
        ValidationError::new(format!("is {}, expected no less than {}", high.value, low.describe()))
            .at(high.key)
    }
}

/// An attempt has a limit wherever all of them have one, and no longer one: otherwise a longer attempt would be allowed, and
/// never had. Nor is anybody trusted who may ask for any time.
pub(super) fn check_timeouts(all: &Timeouts, own: &Timeouts) -> Result<(), ValidationError> {
    let default = Defaults::default();
    let time = |given: &OptionalValue<OrOff<DurationValue<1>>>, default: Option<Duration>| {
        given.get().map_or(default, |time| time.0.map(|time| time.0))
    };
    let (attempt, total) = (time(&all.attempt, default.attempt), time(&all.total, default.total));
    let side =
        |key,
         time: Option<Duration>,
         of: fn(&Timeouts) -> &OptionalValue<OrOff<DurationValue<1>>>| Operand {
            key,
            value: time.map_or("off".to_owned(), format_duration),
            is_given: of(all).0.is_some(),
            is_own: of(own).0.is_some(),
        };
    if total.is_some_and(|total| attempt.is_none_or(|attempt| attempt > total)) {
        return Err(exceeds(
            &side("attempt", attempt, |it| &it.attempt),
            &side("total", total, |it| &it.total),
        ));
    }
    let trusts = all.trust.as_ref().is_some_and(|headers| !headers.0.is_empty());
    if trusts && total.is_none() {
        return Err(if own.trust.0.is_some() {
            ValidationError::new(
                "callers are trusted, expected a limit of what they say, but `total` is off",
            )
            .at("trust")
        } else {
            ValidationError::new(
                "is off, expected a limit of what callers say, who are trusted by `trust`",
            )
            .at("total")
        });
    }
    Ok(())
}

pub(super) fn check_open_durations(
    all: &CircuitBreaker,
    own: &CircuitBreaker,
) -> Result<(), ValidationError> {
    let (Some(first), Some(longest)) = (all.open_for.get(), all.open_max.get()) else {
        return Ok(());
    };
    if first.0 <= longest.0 {
        return Ok(());
    }
    let side = |key, time, given: &OptionalValue<DurationValue<1>>| Operand {
        key,
        value: format_duration(time),
        is_given: true,
        is_own: given.0.is_some(),
    };
    Err(exceeds(
        &side("open_for", first.0, &own.open_for),
        &side("open_max", longest.0, &own.open_max),
    ))
}

/// Something opens it.
pub(super) fn check_can_open(
    all: &CircuitBreaker,
    own: &CircuitBreaker,
) -> Result<(), ValidationError> {
    let by_ratio = !matches!(all.failure_ratio.as_ref(), Some(OrOff(None)));
    let by_row = matches!(all.consecutive_failures.as_ref(), Some(OrOff(Some(_))));
    if by_ratio || by_row {
        return Ok(());
    }
    let side = |key, is_given, is_own| Operand { key, value: "off".to_owned(), is_given, is_own };
    let ratio = side("failure_ratio", true, own.failure_ratio.0.is_some());
    let row = side(
        "consecutive_failures",
        all.consecutive_failures.0.is_some(),
        own.consecutive_failures.0.is_some(),
    );
    let (wrong, other) = if ratio.is_own { (ratio, row) } else { (row, ratio) };
    let message = format!(
        "is off, expected a value beside {}: nothing would open it; to have none, \
         `circuit_breaker = \"off\"`",
        other.describe()
    );
    Err(ValidationError::new(message).at(wrong.key))
}

/// `min` is not above `max`, nor an `initial` that is given outside of them.
pub(super) fn check_bounds(all: &Bounds, own: &Bounds) -> Result<(), ValidationError> {
    let default = AdaptiveLimit::new();
    let side = |key, default: NonZeroU32, of: fn(&Bounds) -> &OptionalValue<Positive>| {
        let calls = of(all).get().map_or(default, |calls| calls.0);
        let (is_given, is_own) = (of(all).0.is_some(), of(own).0.is_some());
        (calls, Operand { key, value: calls.to_string(), is_given, is_own })
    };
    let min = side("min", default.min, |it| &it.min);
    let max = side("max", default.max, |it| &it.max);
    let initial =
        Some(side("initial", default.initial, |it| &it.initial)).filter(|(_, it)| it.is_given);
    let pairs = [
        Some((&min, &max)),
        initial.as_ref().map(|it| (&min, it)),
        initial.as_ref().map(|it| (it, &max)),
    ];
    match pairs.into_iter().flatten().find(|(low, high)| low.0 > high.0) {
        Some((low, high)) => Err(exceeds(&low.1, &high.1)),
        None => Ok(()),
    }
}
