//! The alerts and their runbooks.

use std::{collections::BTreeSet, fs, process::Command};

use crate::{path, read, run};

const ALERTS: &str = "deploy/alerts.yml";

/// Returns the values of a key of the alerts.
fn values(key: &str) -> Vec<String> {
    let alerts = read(ALERTS);
    let values = alerts.lines().filter_map(|line| line.trim().strip_prefix(key));
    values.map(|value| value.trim().to_owned()).collect()
}

#[test]
fn each_alert_has_a_runbook() {
    let names = values("- alert:");
    assert!(names.len() >= 9, "{names:?}");
    let index = read("../../docs/runbooks/README.md");
    for (name, url) in names.iter().zip(values("runbook_url:")) {
        assert_eq!(
            url,
            format!("https://github.com/seawall-rs/seawall/blob/main/docs/runbooks/{name}.md")
        );
        let page = read(&format!("../../docs/runbooks/{name}.md"));
        for heading in ["What it means", "What to look at", "What to change", "Silence"] {
            assert!(page.contains(&format!("\n## {heading}")), "{name}: expected {heading}");
        }
        assert!(page.contains(&format!("alertname={name} ")), "{name}");
        assert!(index.contains(&format!("[{name}]({name}.md)")), "{name}");
    }
    assert_eq!(values("runbook_url:").len(), names.len());
}

#[test]
fn each_runbook_has_an_alert() {
    let names: BTreeSet<_> = values("- alert:").into_iter().collect();
    for entry in fs::read_dir(path("../../docs/runbooks")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.strip_suffix(".md").unwrap();
        assert!(name == "README" || names.contains(name), "{name}");
    }
}

/// The name of a panel in a runbook is one of the dashboard.
#[test]
fn panels_of_runbooks_exist() {
    let dashboard = read("deploy/grafana.json");
    for name in values("- alert:") {
        let page = read(&format!("../../docs/runbooks/{name}.md")).replace('\n', " ");
        for panel in page.split('*').skip(1).step_by(2) {
            let panel = panel.split_whitespace().collect::<Vec<_>>().join(" ");
            let exists = dashboard.contains(&format!("\"title\": \"{panel}"));
            assert!(exists || panel.starts_with("Status →"), "{name}: {panel}");
        }
    }
}

#[test]
#[ignore = "needs promtool"]
fn alerts_pass_promtool() {
    run(Command::new("promtool").args(["check", "rules", "--lint-fatal"]).arg(path(ALERTS)));
}

#[test]
#[ignore = "needs promtool"]
fn alerts_fire_and_do_not_fire() {
    let tests = path("tests/deploy/alerts_test.yml");
    run(Command::new("promtool").args(["test", "rules"]).arg(tests));
    // Each alert has a test.
    let tests = read("tests/deploy/alerts_test.yml");
    for name in values("- alert:") {
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "{name}");
    }
}
