use std::fmt;

use serde::{
    Deserialize,
    de::{MapAccess, value::MapAccessDeserializer},
};

use super::{Inherit, section};
use crate::{
    config::values::{ConfigValue, OptionalValue, OrOff, Positive, impl_scalar_deserialize},
    in_flight::{AdaptiveLimit, InFlightLimitLayer},
};

/// A limit of the calls in flight.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum InFlight {
    Fixed(Positive),
    /// A limit that follows the response times, within bounds.
    Adaptive(AdaptiveBounds),
}

section! {
    /// A limit that follows the upstream's response times.
    AdaptiveBounds {
        /// Limit before the first measurement.
        initial: Positive,
        /// Minimum limit, at most `max`.
        min: Positive,
        /// Maximum limit.
        max: Positive,
    }
}

impl ConfigValue for InFlight {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Positive::expected(f)?;
        f.write_str(", \"adaptive\", a table of `initial`, `min`, `max`")
    }

    fn from_text(text: &str) -> Option<Self> {
        (text == "adaptive").then(|| Self::Adaptive(AdaptiveBounds::default()))
    }

    fn from_integer(number: i128) -> Option<Self> {
        Positive::from_integer(number).map(Self::Fixed)
    }

    fn from_table<'de, A: MapAccess<'de>>(table: A) -> Option<Result<Self, A::Error>> {
        Some(AdaptiveBounds::deserialize(MapAccessDeserializer::new(table)).map(Self::Adaptive))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        use schemars::JsonSchema;

        let bounds = AdaptiveBounds::json_schema(&mut schemars::SchemaGenerator::default());
        schemars::json_schema!({ "anyOf": [Positive::schema(), { "const": "adaptive" }, bounds] })
    }
}

impl_scalar_deserialize!(InFlight);

impl Inherit for OptionalValue<OrOff<InFlight>> {
    fn inherit(self, parent: &Self) -> Self {
        let inherited_bounds = match parent.as_ref() {
            Some(OrOff(Some(InFlight::Adaptive(bounds)))) => Some(bounds),
            _ => None,
        };
        Self(match (self.0, inherited_bounds) {
            (Some(OrOff(Some(InFlight::Adaptive(own)))), Some(bounds)) => {
                Some(OrOff(Some(InFlight::Adaptive(own.inherit(bounds)))))
            }
            (own, _) => own.or_else(|| parent.as_ref().cloned()),
        })
    }
}

impl InFlight {
    /// Builds the layer. Bounds that are not set keep those of the program's limit.
    pub(crate) fn build(&self, program_limit: Option<AdaptiveLimit>) -> InFlightLimitLayer {
        match self {
            Self::Fixed(limit) => InFlightLimitLayer::new(limit.0),
            Self::Adaptive(bounds) => {
                let limit = program_limit.unwrap_or_default();
                let limit = bounds.initial.apply_to(limit, AdaptiveLimit::initial);
                let limit = bounds.min.apply_to(limit, AdaptiveLimit::min);
                InFlightLimitLayer::adaptive(bounds.max.apply_to(limit, AdaptiveLimit::max))
            }
        }
    }
}
