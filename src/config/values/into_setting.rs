use std::{num::NonZeroU32, time::Duration};

use http::{HeaderName, Method};
use seawall_core::Ratio;

use super::{
    ConfigTimeoutHeader, Count, DurationValue, HeaderNameValue, LevelValue, List, OptionalValue,
    OrOff, Positive, RatioValue, Status, StringValue, Unlimited, methods::MethodName,
};
use crate::{deadline::TimeoutHeader, logging::Level};

/// A value that can be converted into the argument of a layer's setter.
pub(crate) trait IntoSetting {
    /// The type of the argument.
    type Setting;

    fn into_setting(self) -> Self::Setting;
}

/// Implements [`IntoSetting`] for newtypes of the setting.
macro_rules! unwrap_into_setting {
    ($($newtype:ty => $setting:ty,)*) => {
        $(impl IntoSetting for $newtype {
            type Setting = $setting;

            fn into_setting(self) -> $setting {
                self.0
            }
        })*
    };
}

unwrap_into_setting! {
    ConfigTimeoutHeader => TimeoutHeader,
    HeaderNameValue => HeaderName,
    LevelValue => Level,
    MethodName => Method,
    Positive => NonZeroU32,
    RatioValue => Ratio,
    Status => u16,
    StringValue => String,
}

impl<const MIN: u32, const MAX: u32> IntoSetting for Count<MIN, MAX> {
    type Setting = u32;

    fn into_setting(self) -> u32 {
        self.0
    }
}

impl<const MIN: u64> IntoSetting for DurationValue<MIN> {
    type Setting = Duration;

    fn into_setting(self) -> Duration {
        self.0
    }
}

impl IntoSetting for bool {
    type Setting = Self;

    fn into_setting(self) -> Self {
        self
    }
}

impl<T: IntoSetting> IntoSetting for List<T> {
    type Setting = Vec<T::Setting>;

    fn into_setting(self) -> Self::Setting {
        self.0.into_iter().map(T::into_setting).collect()
    }
}

impl<T: IntoSetting> IntoSetting for OrOff<T> {
    type Setting = Option<T::Setting>;

    fn into_setting(self) -> Self::Setting {
        self.0.map(T::into_setting)
    }
}

impl<T: IntoSetting> IntoSetting for Unlimited<T> {
    type Setting = Option<T::Setting>;

    fn into_setting(self) -> Self::Setting {
        self.0.map(T::into_setting)
    }
}

impl<T: IntoSetting + Clone> OptionalValue<T> {
    /// Passes the value to the setter `set`. Returns the layer unchanged if the key is not set.
    pub(crate) fn apply_to<L>(&self, layer: L, set: impl FnOnce(L, T::Setting) -> L) -> L {
        match &self.0 {
            Some(value) => set(layer, value.clone().into_setting()),
            None => layer,
        }
    }
}
