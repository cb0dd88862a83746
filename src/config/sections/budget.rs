use seawall_core::Ratio;
use serde::Deserialize;

use crate::{
    config::values::{Count, OptionalValue, RatioValue},
    retry,
};

/// How many retries all calls together may have, in any 10 seconds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "config-schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(crate) struct Budget {
    /// Such a part of the calls.
    ratio: OptionalValue<RatioValue>,
    /// As many as this, if that is more.
    min: OptionalValue<Count>,
}

impl Budget {
    pub(crate) fn build(&self) -> retry::Budget {
        let ratio = self.ratio.get().map_or(Ratio::percent(20), |share| share.0);
        retry::Budget::new(ratio, self.min.get().map_or(3, |min| min.0))
    }
}
