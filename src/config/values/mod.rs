//! The types of configuration values. Each type defines the notation that it accepts.

mod count;
mod duration;
mod header;
mod into_setting;
mod jitter;
mod level;
mod list;
mod methods;
mod optional_value;
mod or_off;
mod ratio;
mod status;
mod string;
mod table;
mod timeout_header;

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::{self, MapAccess, Unexpected, Visitor};

pub(crate) use self::{
    count::{Count, Positive},
    duration::{DurationValue, format_duration},
    header::HeaderNameValue,
    into_setting::IntoSetting,
    jitter::Jitter,
    level::LevelValue,
    list::{List, Tables},
    methods::Methods,
    optional_value::OptionalValue,
    or_off::{OrOff, Toggle, Unlimited},
    ratio::RatioValue,
    status::Status,
    string::StringValue,
    table::table,
    timeout_header::ConfigTimeoutHeader,
};

/// A value written as a string, a number, a boolean or a table.
///
/// Each `from_*` method returns `None` for a value that the type does not accept.
pub(crate) trait ConfigValue: Sized {
    /// Writes the expected value for an error message, such as `a number from 0 to 1`.
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result;

    fn from_text(_text: &str) -> Option<Self> {
        None
    }

    /// Removes secrets from an invalid text, for an error message.
    fn redact(text: &str) -> Cow<'_, str> {
        Cow::Borrowed(text)
    }

    fn from_integer(_number: i128) -> Option<Self> {
        None
    }

    fn from_float(_number: f64) -> Option<Self> {
        None
    }

    fn from_bool(_value: bool) -> Option<Self> {
        None
    }

    /// Returns `None` if the type has no table notation, and an error if the table is invalid.
    fn from_table<'de, A: MapAccess<'de>>(_table: A) -> Option<Result<Self, A::Error>> {
        None
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema;
}

/// The visitor that deserializes a [`ConfigValue`].
pub(crate) struct ValueVisitor<T>(PhantomData<fn() -> T>);

impl<T> ValueVisitor<T> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: ConfigValue> Visitor<'de> for ValueVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::expected(f)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).ok_or_else(|| E::invalid_value(Unexpected::Str(&T::redact(text)), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        T::from_integer(number.into())
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        T::from_integer(number.into())
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i128<E: de::Error>(self, number: i128) -> Result<T, E> {
        T::from_integer(number)
            .ok_or_else(|| E::invalid_value(Unexpected::Other(&number.to_string()), &self))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        T::from_float(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<T, E> {
        T::from_bool(value).ok_or_else(|| E::invalid_value(Unexpected::Bool(value), &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<T, A::Error> {
        T::from_table(table).unwrap_or_else(|| Err(de::Error::invalid_type(Unexpected::Map, &self)))
    }
}

/// Implements `Deserialize` and `JsonSchema` for a [`ConfigValue`]. Generic parameters precede the
/// type, in brackets.
macro_rules! impl_scalar_deserialize {
    ([$($generics:tt)*] $type:ty) => {
        impl<'de, $($generics)*> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($crate::config::values::ValueVisitor::new())
            }
        }

        #[cfg(feature = "config-schema")]
        impl<$($generics)*> schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <Self as $crate::config::values::ConfigValue>::schema()
            }
        }
    };
    ($type:ty) => {
        $crate::config::values::impl_scalar_deserialize!([] $type);
    };
}
pub(crate) use impl_scalar_deserialize;
