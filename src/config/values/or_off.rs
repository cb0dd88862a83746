//! Values that a keyword can disable, because TOML has no null.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};

use super::{ConfigValue, impl_scalar_deserialize};

/// A value, or `"off"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrOff<T>(pub(crate) Option<T>);

/// A limit, or `"unlimited"`. The keyword is not `"off"`, which could mean that nothing is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unlimited<T>(pub(crate) Option<T>);

/// Implements [`ConfigValue`] for a type that is a value or a keyword.
macro_rules! impl_optional_scalar {
    ($type:ident, $keyword:literal) => {
        impl<T: ConfigValue> ConfigValue for $type<T> {
            fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
                T::expected(f)?;
                f.write_str(concat!(", or \"", $keyword, "\""))
            }

            fn from_text(text: &str) -> Option<Self> {
                if text == $keyword {
                    return Some(Self(None));
                }
                T::from_text(text).map(|value| Self(Some(value)))
            }

            fn from_integer(number: i128) -> Option<Self> {
                T::from_integer(number).map(|value| Self(Some(value)))
            }

            fn from_float(number: f64) -> Option<Self> {
                T::from_float(number).map(|value| Self(Some(value)))
            }

            fn from_table<'de, A: MapAccess<'de>>(table: A) -> Option<Result<Self, A::Error>> {
                T::from_table(table).map(|result| result.map(|value| Self(Some(value))))
            }

            #[cfg(feature = "config-schema")]
            fn schema() -> schemars::Schema {
                schemars::json_schema!({ "anyOf": [{ "const": $keyword }, T::schema()] })
            }
        }

        impl_scalar_deserialize!([T: ConfigValue] $type<T>);
    };
}

impl_optional_scalar!(OrOff, "off");
impl_optional_scalar!(Unlimited, "unlimited");

/// A table, or `"off"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Toggle<T> {
    Off,
    On(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Toggle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ToggleVisitor(PhantomData))
    }
}

struct ToggleVisitor<T>(PhantomData<fn() -> T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ToggleVisitor<T> {
    type Value = Toggle<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table, or \"off\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Toggle<T>, E> {
        match text {
            "off" => Ok(Toggle::Off),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Toggle<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(table)).map(Toggle::On)
    }
}

#[cfg(feature = "config-schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Toggle<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "const": "off" }, generator.subschema_for::<T>()] })
    }
}
