//! The tables of a file, and their application to the layers.

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
    in_flight::{AdaptiveBounds, InFlight},
    logging::Logging,
    next_hop::NextHop,
    retry::Retry,
    timeouts::Timeouts,
};
use super::values::{OptionalValue, Toggle};

/// Settings of a route that inherit unset keys from the default policy.
pub(crate) trait Inherit {
    /// Sets the keys that are not set to their values in `parent`.
    #[must_use]
    fn inherit(self, parent: &Self) -> Self;
}

impl<T: Inherit + Clone> Inherit for OptionalValue<Toggle<T>> {
    fn inherit(self, parent: &Self) -> Self {
        Self(match (self.0, parent.as_ref()) {
            (Some(Toggle::On(own)), Some(Toggle::On(parent))) => {
                Some(Toggle::On(own.inherit(parent)))
            }
            (own, parent) => own.or_else(|| parent.cloned()),
        })
    }
}

/// Defines a table of which each key is inherited separately.
macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
        #[serde(default, deny_unknown_fields, expecting = "a table")]
        // The names are the keys of the file.
        #[allow(clippy::struct_field_names)]
        pub(crate) struct $name {
            $(
                $(#[$doc])*
                pub(crate) $key: $crate::config::values::OptionalValue<$type>,
            )*
        }

        impl $crate::config::sections::Inherit for $name {
            fn inherit(self, parent: &Self) -> Self {
                Self {
                    $($key: $crate::config::values::OptionalValue(
                        self.$key.0.or_else(|| parent.$key.0.clone()),
                    ),)*
                }
            }
        }
    };
}
use section;
