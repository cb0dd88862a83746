use serde::{Deserialize, Deserializer};

/// What stands behind a key, if the key is there. Unlike an `Option`, it is not read from a null: then it would seem as if the
/// key were not there.
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
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Some).map(Self)
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
