use std::{fmt, num::NonZeroU32};

use super::{ConfigValue, impl_scalar_deserialize};

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count<const MIN: u32 = 0, const MAX: u32 = { u32::MAX }>(pub(crate) u32);

/// A whole number of at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Positive(pub(crate) NonZeroU32);

impl<const MIN: u32, const MAX: u32> ConfigValue for Count<MIN, MAX> {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn from_integer(number: i128) -> Option<Self> {
        u32::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number)).map(Self)
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

impl_scalar_deserialize!([const MIN: u32, const MAX: u32] Count<MIN, MAX>);

impl ConfigValue for Positive {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Count::<1>::expected(f)
    }

    fn from_integer(number: i128) -> Option<Self> {
        Count::<1>::from_integer(number).and_then(|count| NonZeroU32::new(count.0)).map(Self)
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        Count::<1>::schema()
    }
}

impl_scalar_deserialize!(Positive);
