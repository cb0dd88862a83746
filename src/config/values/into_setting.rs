use std::{num::NonZeroU32, time::Duration};

use http::{HeaderName, Method};
use seawall_core::Ratio;

use super::{
    Count, DurationValue, HeaderNameValue, LevelValue, List, OptionalValue, OrOff, Positive,
    RatioValue, Status, StringValue, TimeoutHeaderName, Unlimited, methods::MethodName,
};
use crate::{deadline::TimeoutHeader, logging::Level};

/// Converts a value into the argument of a layer's setter.
pub(crate) trait IntoSetting {
    type Value;

    fn into_value(self) -> Self::Value;
}

macro_rules! into_setting {
    ($([$($generics:tt)*] $type:ty => $value:ty, $convert:expr;)*) => {
        $(impl<$($generics)*> IntoSetting for $type {
            type Value = $value;

            fn into_value(self) -> $value {
                let convert: fn(Self) -> $value = $convert;
                convert(self)
            }
        })*
    };
}

into_setting! {
    [] bool => bool, |value| value;
    [] HeaderNameValue => HeaderName, |value| value.0;
    [] TimeoutHeaderName => TimeoutHeader, |value| value.0;
    [] Positive => NonZeroU32, |value| value.0;
    [] LevelValue => Level, |value| value.0;
    [] RatioValue => Ratio, |value| value.0;
    [] Status => u16, |value| value.0;
    [] StringValue => String, |value| value.0;
    [] MethodName => Method, |value| value.0;
    [const MIN: u32, const MAX: u32] Count<MIN, MAX> => u32, |value| value.0;
    [const MIN: u64] DurationValue<MIN> => Duration, |value| value.0;
    [T: IntoSetting] List<T> => Vec<T::Value>,
        |list| list.0.into_iter().map(T::into_value).collect();
    [T: IntoSetting] OrOff<T> => Option<T::Value>, |value| value.0.map(T::into_value);
    [T: IntoSetting] Unlimited<T> => Option<T::Value>, |value| value.0.map(T::into_value);
}

impl<T: IntoSetting + Clone> OptionalValue<T> {
    /// Passes the value to the setter `set`, or returns the layer unchanged if the key is not set.
    pub(crate) fn apply_to<L>(&self, layer: L, set: impl FnOnce(L, T::Value) -> L) -> L {
        match &self.0 {
            Some(value) => set(layer, value.clone().into_value()),
            None => layer,
        }
    }
}
