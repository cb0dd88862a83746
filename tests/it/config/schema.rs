//! The JSON schema has the keys that are documented, and no others.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{keys::documented, *};

fn schema() -> Value {
    serde_json::from_str(&Config::json_schema()).unwrap()
}

/// The keys of a table, with those of the tables behind them.
fn keys(root: &Value, schema: &Value, above: &str, found: &mut BTreeSet<String>) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let table = root.pointer(reference.trim_start_matches('#')).unwrap();
        return keys(root, table, above, found);
    }
    for one in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        keys(root, one, above, found);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    assert_eq!(schema["additionalProperties"], false, "{above}");
    for (name, property) in properties {
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        assert!(property.get("description").is_some(), "{key} is not described");
        keys(root, property, &key, found);
        found.insert(key);
    }
}

#[test]
fn schema_lists_exactly_documented_keys() {
    let root = schema();
    let mut found = BTreeSet::new();
    keys(&root, &root["properties"]["default"], "", &mut found);
    // A table that cannot be "off" has no row.
    assert!(found.remove("timeouts"));
    let documented: BTreeSet<_> = documented().into_iter().map(|(key, _)| key).collect();
    assert_eq!(found, documented);
}

#[test]
fn schema_gives_route_default_policy_keys_and_prefix() {
    let root = schema();
    let all = |schema: &Value| {
        let mut found = BTreeSet::new();
        keys(&root, schema, "", &mut found);
        found
    };
    let default = all(&root["properties"]["default"]);
    let mut route = all(&root["properties"]["route"]["items"]);
    assert!(route.remove("prefix"));
    assert_eq!(route, default);
}

#[test]
fn schema_embeds_in_larger_schema() {
    let embedded = schemars::schema_for!(Config).to_value();
    assert_eq!(embedded, schema());
}
