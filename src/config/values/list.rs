use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

use super::{ConfigValue, table::Table};

/// A list of scalar values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<'de, T: ConfigValue + Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<fn() -> T>);

impl<'de, T: ConfigValue + Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, each item ")?;
        T::expected(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<List<T>, A::Error> {
        collect_seq(values).map(List)
    }
}

/// A list of tables, such as `[[route]]`.
#[derive(Clone, Debug)]
pub(crate) struct Tables<T>(pub(crate) Vec<T>);

impl<T> Default for Tables<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tables<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TablesVisitor(PhantomData))
    }
}

struct TablesVisitor<T>(PhantomData<fn() -> T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for TablesVisitor<T> {
    type Value = Tables<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tables such as [[route]]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Tables<T>, A::Error> {
        let tables = collect_seq::<Table<T>, _>(values)?;
        Ok(Tables(tables.into_iter().map(|table| table.0).collect()))
    }
}

#[cfg(feature = "config-schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Tables<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<T>::json_schema(generator)
    }
}

/// Deserializes the values of a list.
pub(crate) fn collect_seq<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    mut values: A,
) -> Result<Vec<T>, A::Error> {
    let mut collected = Vec::new();
    while let Some(value) = values.next_element()? {
        collected.push(value);
    }
    Ok(collected)
}

#[cfg(feature = "config-schema")]
impl<T: ConfigValue> schemars::JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "List".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "array", "items": T::schema() })
    }
}
