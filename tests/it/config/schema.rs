//! The JSON schema lists exactly the documented keys.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{keys::documented_defaults, *};

fn schema() -> Value {
    serde_json::from_str(&Config::json_schema()).unwrap()
}

/// Collects the keys of a table and of its nested tables.
fn collect_keys(root: &Value, schema: &Value, parent: &str, found: &mut BTreeSet<String>) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let table = root.pointer(reference.trim_start_matches('#')).unwrap();
        return collect_keys(root, table, parent, found);
    }
    for alternative in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        collect_keys(root, alternative, parent, found);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    assert_eq!(schema["additionalProperties"], false, "{parent}");
    for (name, property) in properties {
        let key = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        assert!(property.get("description").is_some(), "no description of {key}");
        collect_keys(root, property, &key, found);
        found.insert(key);
    }
}

#[test]
fn schema_lists_exactly_documented_keys() {
    let root = schema();
    let mut found = BTreeSet::new();
    collect_keys(&root, &root["properties"]["default"], "", &mut found);
    // The docs have no row for a table that cannot be "off".
    assert!(found.remove("timeouts"));
    let documented: BTreeSet<_> = documented_defaults().into_iter().map(|(key, _)| key).collect();
    assert_eq!(found, documented);
}

#[test]
fn schema_gives_route_default_policy_keys_and_prefix() {
    let root = schema();
    let keys_of = |schema: &Value| {
        let mut found = BTreeSet::new();
        collect_keys(&root, schema, "", &mut found);
        found
    };
    let default = keys_of(&root["properties"]["default"]);
    let mut route = keys_of(&root["properties"]["route"]["items"]);
    assert!(route.remove("prefix"));
    assert_eq!(route, default);
}

#[test]
fn schema_embeds_in_larger_schema() {
    let embedded = schemars::schema_for!(Config).to_value();
    assert_eq!(embedded, schema());
}
