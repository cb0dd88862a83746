use std::{num::NonZeroU32, time::Duration};

use http::{HeaderName, Method};
use seawall_core::Ratio;

use super::{
    Count, DurationValue, HeaderNameValue, LevelValue, List, OptionalValue, OrOff, Positive,
    RatioValue, Status, StringValue, TimeoutHeaderName, Unlimited, methods::MethodName,
};
use crate::{deadline::TimeoutHeader, logging::Level};

/// What a layer's setter takes for a value.
pub(crate) trait IntoSetting {
    type Value;

    fn into_value(self) -> Self::Value;
}

macro_rules! into_setting {
    ($([$($generics:tt)*] $type:ty => $value:ty, $make:expr;)*) => {
        $(impl<$($generics)*> IntoSetting for $type {
            type Value = $value;

            fn into_value(self) -> $value {
                let make: fn(Self) -> $value = $make;
                make(self)
            }
        })*
    };
}

into_setting! {
    [] bool => bool, |it| it;
    [] HeaderNameValue => HeaderName, |it| it.0;
    [] TimeoutHeaderName => TimeoutHeader, |it| it.0;
    [] Positive => NonZeroU32, |it| it.0;
    [] LevelValue => Level, |it| it.0;
    [] RatioValue => Ratio, |it| it.0;
    [] Status => u16, |it| it.0;
    [] StringValue => String, |it| it.0;
    [] MethodName => Method, |it| it.0;
    [const MIN: u32, const MAX: u32] Count<MIN, MAX> => u32, |it| it.0;
    [const MIN: u64] DurationValue<MIN> => Duration, |it| it.0;
    [T: IntoSetting] List<T> => Vec<T::Value>, |it| it.0.into_iter().map(T::into_value).collect();
    [T: IntoSetting] OrOff<T> => Option<T::Value>, |it| it.0.map(T::into_value);
    [T: IntoSetting] Unlimited<T> => Option<T::Value>, |it| it.0.map(T::into_value);
}

impl<T: IntoSetting + Clone> OptionalValue<T> {
    /// What the layer is with it: the same, if it is not given.
    pub(crate) fn apply_to<L>(&self, layer: L, set: impl FnOnce(L, T::Value) -> L) -> L {
        match &self.0 {
            Some(value) => set(layer, value.clone().into_value()),
            None => layer,
        }
    }
}
