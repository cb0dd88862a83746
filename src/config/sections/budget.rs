use seawall_core::Ratio;
use serde::Deserialize;

use crate::{
    config::values::{Count, OptionalValue, RatioValue},
    retry,
};

/// The limit of the retries of all calls together, over 10 seconds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(crate) struct Budget {
    /// Maximum ratio of retries to calls.
    ratio: OptionalValue<RatioValue>,
    /// Number of retries allowed regardless of the ratio.
    min: OptionalValue<Count>,
}

impl Budget {
    pub(crate) fn build(&self) -> retry::Budget {
        let ratio = self.ratio.get().map_or(Ratio::percent(20), |ratio| ratio.0);
        retry::Budget::new(ratio, self.min.get().map_or(3, |min| min.0))
    }
}
