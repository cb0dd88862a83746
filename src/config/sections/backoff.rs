use std::{fmt, time::Duration};

use serde::Deserialize;

use crate::{
    config::{
        validation_error::ValidationError,
        values::{ConfigValue, DurationValue, Jitter, OptionalValue, impl_scalar_deserialize},
    },
    retry,
};

/// The delay before a retry.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(crate) struct Backoff {
    /// The kind of backoff: "exponential", "constant", "none" or "urllib3".
    kind: OptionalValue<Kind>,
    /// Delay before the first retry. It doubles with each retry, unless the kind is "constant".
    base: OptionalValue<DurationValue>,
    /// urllib3's `backoff_factor`, in seconds. For "urllib3" only.
    factor: OptionalValue<Factor>,
    /// Maximum delay.
    max: OptionalValue<DurationValue>,
    /// `true` waits a random part of the delay. A duration adds a random time up to that duration.
    jitter: OptionalValue<Jitter>,
}

/// The kind of a backoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Exponential,
    Constant,
    None,
    Urllib3,
}

const KINDS: [(&str, Kind); 4] = [
    ("exponential", Kind::Exponential),
    ("constant", Kind::Constant),
    ("none", Kind::None),
    ("urllib3", Kind::Urllib3),
];

impl ConfigValue for Kind {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one of \"exponential\", \"constant\", \"none\", \"urllib3\"")
    }

    fn from_text(text: &str) -> Option<Self> {
        KINDS.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind)
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "enum": KINDS.map(|(name, _)| name) })
    }
}

impl_scalar_deserialize!(Kind);

/// The factor of urllib3, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Factor(f64);

impl ConfigValue for Factor {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds, zero or more")
    }

    fn from_integer(number: i128) -> Option<Self> {
        Self::from_float(number as f64)
    }

    fn from_float(number: f64) -> Option<Self> {
        retry::Backoff::urllib3(number).ok().map(|_| Self(number))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0 })
    }
}

impl_scalar_deserialize!(Factor);

impl Backoff {
    fn kind(&self) -> Kind {
        self.kind.get().unwrap_or(Kind::Exponential)
    }

    /// Checks that each key that is set applies to the kind.
    pub(crate) fn check(&self) -> Result<(), ValidationError> {
        let kind = self.kind();
        let has_delay = kind != Kind::None;
        let has_base = matches!(kind, Kind::Exponential | Kind::Constant);
        let kind_name = KINDS.iter().find(|(_, other)| *other == kind).map_or("", |(name, _)| name);
        for (key, is_set, is_allowed) in [
            ("base", self.base.0.is_some(), has_base),
            ("factor", self.factor.0.is_some(), kind == Kind::Urllib3),
            ("max", self.max.0.is_some(), has_delay),
            ("jitter", self.jitter.0.is_some(), has_delay),
        ] {
            if is_set && !is_allowed {
                return Err(ValidationError::new(format!(
                    "not a key of a backoff of kind \"{kind_name}\", expected {}",
                    match kind {
                        Kind::None => "only `kind`",
                        Kind::Urllib3 => "`factor`, `max` or `jitter`",
                        Kind::Exponential | Kind::Constant => "`base`, `max` or `jitter`",
                    }
                ))
                .at(key));
            }
        }
        Ok(())
    }

    pub(crate) fn build(&self) -> retry::Backoff {
        let base = self.base.get().map_or(Duration::from_millis(100), |base| base.0);
        let backoff = match self.kind() {
            Kind::Exponential => retry::Backoff::exponential(base),
            Kind::Constant => retry::Backoff::constant(base),
            Kind::None => return retry::Backoff::none(),
            Kind::Urllib3 => {
                let factor = self.factor.get().map_or(1.0, |factor| factor.0);
                retry::Backoff::urllib3(factor).unwrap_or_default()
            }
        };
        let backoff = self.max.apply_to(backoff, retry::Backoff::max);
        match self.jitter.get() {
            Some(Jitter::Full(enabled)) => backoff.use_jitter(enabled),
            Some(Jitter::Added(max)) => backoff.added_jitter(max),
            None => backoff,
        }
    }
}
