use std::fmt;

use serde::{
    Deserialize,
    de::{MapAccess, value::MapAccessDeserializer},
};

use super::{Inherit, section};
use crate::{
    config::values::{OptionalValue, OrOff, Positive, ScalarValue, impl_scalar_deserialize},
    in_flight::{AdaptiveLimit, InFlightLimitLayer},
};

/// How many calls may be under way at once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum InFlight {
    Fixed(Positive),
    /// As many as it turns out, within bounds.
    Adaptive(Bounds),
}

section! {
    /// A limit that finds its own size, by how long responses take.
    Bounds {
        /// How many calls may be under way before anything is known.
        initial: Positive,
        /// The fewest calls that it ever allows. Not above `max`.
        min: Positive,
        /// The most calls that it ever allows.
        max: Positive,
    }
}

impl ScalarValue for InFlight {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Positive::expected(f)?;
        f.write_str(", \"adaptive\", a table of `initial`, `min`, `max`")
    }

    fn from_text(text: &str) -> Option<Self> {
        (text == "adaptive").then(|| Self::Adaptive(Bounds::default()))
    }

    fn from_whole(number: i128) -> Option<Self> {
        Positive::from_whole(number).map(Self::Fixed)
    }

    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Option<Result<Self, A::Error>> {
        Some(Bounds::deserialize(MapAccessDeserializer::new(table)).map(Self::Adaptive))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        use schemars::JsonSchema;

        let bounds = Bounds::json_schema(&mut schemars::SchemaGenerator::default());
        schemars::json_schema!({ "anyOf": [Positive::schema(), { "const": "adaptive" }, bounds] })
    }
}

impl_scalar_deserialize!([] InFlight);

impl Inherit for OptionalValue<OrOff<InFlight>> {
    fn inherit(self, from: &Self) -> Self {
        let bounds = match from.as_ref() {
            Some(OrOff(Some(InFlight::Adaptive(bounds)))) => Some(bounds),
            _ => None,
        };
        Self(match (self.0, bounds) {
            (Some(OrOff(Some(InFlight::Adaptive(own)))), Some(from)) => {
                Some(OrOff(Some(InFlight::Adaptive(own.inherit(from)))))
            }
            (own, _) => own.or_else(|| from.as_ref().cloned()),
        })
    }
}

impl InFlight {
    /// The bounds of a limit that the program has are those that are not given.
    pub(crate) fn build(&self, own: Option<AdaptiveLimit>) -> InFlightLimitLayer {
        match self {
            Self::Fixed(most) => InFlightLimitLayer::new(most.0),
            Self::Adaptive(given) => {
                let bounds = own.unwrap_or_default();
                let bounds = given.initial.apply_to(bounds, AdaptiveLimit::initial);
                let bounds = given.min.apply_to(bounds, AdaptiveLimit::min);
                InFlightLimitLayer::adaptive(given.max.apply_to(bounds, AdaptiveLimit::max))
            }
        }
    }
}
