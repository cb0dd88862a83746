use std::{fmt, time::Duration};

use serde::Deserialize;

use crate::{
    config::{
        validation_error::ValidationError,
        values::{DurationValue, Jitter, OptionalValue, ScalarValue, impl_scalar_deserialize},
    },
    retry,
};

/// How long to wait before a retry.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(crate) struct Backoff {
    /// "exponential", "constant", "none" or "urllib3".
    kind: OptionalValue<Kind>,
    /// The wait before the first retry; each further one is twice as long, or as long if "constant".
    base: OptionalValue<DurationValue>,
    /// Seconds, as in urllib3's `backoff_factor`; for "urllib3" only.
    factor: OptionalValue<Factor>,
    /// The longest wait.
    max: OptionalValue<DurationValue>,
    /// Whether a wait is a part of itself by chance; or what is added to it at the most.
    jitter: OptionalValue<Jitter>,
}

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

impl ScalarValue for Kind {
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

impl_scalar_deserialize!([] Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Factor(f64);

impl ScalarValue for Factor {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds, zero or more")
    }

    fn from_whole(number: i128) -> Option<Self> {
        Self::from_number(number as f64)
    }

    fn from_number(number: f64) -> Option<Self> {
        retry::Backoff::urllib3(number).ok().map(|_| Self(number))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0 })
    }
}

impl_scalar_deserialize!([] Factor);

impl Backoff {
    fn kind(&self) -> Kind {
        self.kind.get().unwrap_or(Kind::Exponential)
    }

    /// Whether each key belongs to the kind.
    pub(crate) fn check(&self) -> Result<(), ValidationError> {
        let kind = self.kind();
        let waits = kind != Kind::None;
        let doubles = matches!(kind, Kind::Exponential | Kind::Constant);
        let name = KINDS.iter().find(|(_, of)| *of == kind).map_or("", |(name, _)| name);
        for (key, given, belongs) in [
            ("base", self.base.0.is_some(), doubles),
            ("factor", self.factor.0.is_some(), kind == Kind::Urllib3),
            ("max", self.max.0.is_some(), waits),
            ("jitter", self.jitter.0.is_some(), waits),
        ] {
            if given && !belongs {
                return Err(ValidationError::new(format!(
                    "a backoff of kind \"{name}\" has no such key, expected {}",
                    match kind {
                        Kind::None => "no other key than `kind`",
                        Kind::Urllib3 => "`factor`, `max`, `jitter`",
                        Kind::Exponential | Kind::Constant => "`base`, `max`, `jitter`",
                    }
                ))
                .at(key));
            }
        }
        Ok(())
    }

    pub(crate) fn build(&self) -> retry::Backoff {
        let base = self.base.get().map_or(Duration::from_millis(100), |time| time.0);
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
            Some(Jitter::Full(full)) => backoff.jitter(full),
            Some(Jitter::Added(most)) => backoff.added_jitter(most),
            None => backoff,
        }
    }
}
