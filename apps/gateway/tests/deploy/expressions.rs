//! The expressions of the alerts and of the dashboard, with the values of Grafana's variables.

use serde_json::Value;

use crate::read;

/// Returns the expressions of the dashboard's panels, each with the title of its panel.
pub(crate) fn of_dashboard() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| {
        let title = panel["title"].as_str().unwrap();
        panel["targets"].as_array().unwrap().iter().map(move |target| {
            let expression = target["expr"].as_str().unwrap();
            (title.to_owned(), fill_variables(expression))
        })
    });
    targets.collect()
}

fn fill_variables(expression: &str) -> String {
    let expression = expression
        .replace("$__rate_interval", "1m")
        .replace("\"$job\"", "\"seawall-gateway\"")
        .replace("\"$instance\"", "\".*\"");
    let capture = expression.replace("\"$1\"", "");
    assert!(!capture.contains('$'), "a variable without a value: {expression}");
    expression
}

/// Returns the selectors of an expression, such as `name{label="value"}`, without their ranges.
pub(crate) fn selectors(expression: &str) -> Vec<String> {
    let mut selectors = Vec::new();
    for (at, _) in expression.match_indices('{') {
        let before = &expression[..at];
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let start = before.rfind(|c| !is_name(c)).map_or(0, |at| at + 1);
        let end = at + expression[at..].find('}').unwrap();
        selectors.push(expression[start..=end].to_owned());
    }
    selectors
}

#[test]
fn dashboard_has_uid_data_source_and_distinct_panels() {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana.json")).unwrap();
    assert_eq!(dashboard["uid"], "seawall-gateway");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!(
        (&variables[0]["name"], &variables[0]["type"]),
        (&"datasource".into(), &"datasource".into())
    );
    let panels = dashboard["panels"].as_array().unwrap();
    let mut places = std::collections::BTreeSet::new();
    for panel in panels {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
        let place = &panel["gridPos"];
        assert!(places.insert((place["x"].as_u64(), place["y"].as_u64())), "{panel}");
        assert!(places.insert((panel["id"].as_u64(), None)), "{panel}");
    }
}

#[test]
fn selectors_are_found_without_ranges() {
    let expression = "rate(a_total{x=\"1\"}[5m]) / b{y=~\"2|3\"} > 1";
    assert_eq!(selectors(expression), ["a_total{x=\"1\"}", "b{y=~\"2|3\"}"]);
}
