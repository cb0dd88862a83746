use serde::{Deserialize, Deserializer};

/// The value of a key that may be absent.
///
/// Unlike `Option`, it does not accept null as an absent key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OptionalValue<T>(pub(crate) Option<T>);

impl<T> OptionalValue<T> {
    pub(crate) const fn as_ref(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T: Copy> OptionalValue<T> {
    pub(crate) const fn get(&self) -> Option<T> {
        self.0
    }
}

impl<T> Default for OptionalValue<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OptionalValue<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Some).map(Self)
    }
}

#[cfg(feature = "config-schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for OptionalValue<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}
