use std::fmt;

use http::Method;
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Unexpected, Visitor},
};

use super::{ConfigValue, impl_scalar_deserialize, list::collect_seq};

/// The methods that are retried even if the request may have been processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Methods {
    /// The idempotent methods of RFC 9110 §9.2.2.
    Idempotent,
    Any,
    Only(Vec<MethodName>),
}

/// An HTTP method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MethodName(pub(crate) Method);

impl ConfigValue for MethodName {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an upper-case method such as \"GET\"")
    }

    /// Rejects lower case. Methods are case-sensitive (RFC 9110 §9.1), so `get` would match no
    /// request.
    fn from_text(text: &str) -> Option<Self> {
        let is_upper_case = !text.bytes().any(|byte| byte.is_ascii_lowercase());
        Method::from_bytes(text.as_bytes()).ok().filter(|_| is_upper_case).map(Self)
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[^a-z]+$" })
    }
}

impl_scalar_deserialize!(MethodName);

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MethodsVisitor)
    }
}

struct MethodsVisitor;

impl<'de> Visitor<'de> for MethodsVisitor {
    type Value = Methods;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"idempotent\", \"any\", or a list such as [\"GET\", \"POST\"]")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Methods, E> {
        match text {
            "idempotent" => Ok(Methods::Idempotent),
            "any" => Ok(Methods::Any),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Methods, A::Error> {
        collect_seq(values).map(Methods::Only)
    }
}

#[cfg(feature = "config-schema")]
impl schemars::JsonSchema for Methods {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Methods".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                { "enum": ["idempotent", "any"] },
                { "type": "array", "items": MethodName::schema() },
            ]
        })
    }
}
