//! The tables of a file: which keys there are, and what they do to a layer.

mod backoff;
mod bad_gateway;
mod budget;
mod circuit_breaker;
mod in_flight;
mod logging;
mod next_hop;
mod retry;
mod timeouts;

pub(crate) use self::{
    backoff::Backoff,
    bad_gateway::BadGateway,
    budget::Budget,
    circuit_breaker::CircuitBreaker,
    in_flight::{Bounds, InFlight},
    logging::Logging,
    next_hop::NextHop,
    retry::Retry,
    timeouts::Timeouts,
};
use super::values::{OptionalValue, Toggle};

/// What a route does not say, it has from elsewhere.
pub(crate) trait Inherit {
    #[must_use]
    fn inherit(self, from: &Self) -> Self;
}

impl<T: Inherit + Clone> Inherit for OptionalValue<Toggle<T>> {
    fn inherit(self, from: &Self) -> Self {
        Self(match (self.0, from.as_ref()) {
            (Some(Toggle::On(own)), Some(Toggle::On(from))) => Some(Toggle::On(own.inherit(from))),
            (own, from) => own.or_else(|| from.cloned()),
        })
    }
}

/// A table whose keys are each inherited by themselves.
macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
        #[serde(default, deny_unknown_fields, expecting = "a table")]
        // Named after the setters.
        #[allow(clippy::struct_field_names)]
        pub(crate) struct $name {
            $(
                $(#[$doc])*
                pub(crate) $key: $crate::config::values::OptionalValue<$type>,
            )*
        }

        impl $crate::config::sections::Inherit for $name {
            fn inherit(self, from: &Self) -> Self {
                Self {
                    $($key: $crate::config::values::OptionalValue(
                        self.$key.0.or_else(|| from.$key.0.clone()),
                    ),)*
                }
            }
        }
    };
}
use section;
