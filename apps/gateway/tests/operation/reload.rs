//! The report of a reload.

use std::fs;

use crate::{
    config_file, json_lines, path,
    support::{GatewayProcess, get},
};

fn service(name: &str, retries: u32) -> String {
    format!(
        "[[service]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:1\"\npolicy.retries = {retries}\n"
    )
}

#[cfg(unix)]
#[tokio::test]
async fn reload_reports_added_removed_changed_and_unchanged_services() {
    let file = config_file(&(service("a", 1) + &service("b", 1) + &service("c", 1)));
    let mut gateway = GatewayProcess::start(&["--config", path(&file)]);
    let mut reload = |text: &str| {
        fs::write(file.path(), text).unwrap();
        gateway.signal_and_read_line("-HUP").replace(path(&file), "FILE")
    };
    let changed = service("a", 1) + &service("b", 2) + &service("d", 1);
    assert_eq!(
        reload(&changed),
        "reloaded FILE: added d; removed c; changed b; 1 service unchanged"
    );
    assert_eq!(reload(&changed), "reloaded FILE: 3 services unchanged");
    let with_limit = format!("[limit]\nrequests_per_minute = 9\nburst = 9\n{changed}");
    assert_eq!(reload(&with_limit), "reloaded FILE: changed [limit]; 3 services unchanged");
    let connections = format!("{with_limit}[connections]\nconnect_timeout = \"9s\"\n");
    assert_eq!(reload(&connections), "reloaded FILE: changed a, b, d; changed [connections]");
    let invalid = reload("x");
    assert_eq!(
        invalid,
        "FILE:1: key with no value, expected `=`; the previous configuration stays in force"
    );
    let (_, _, metrics) = get(&format!("{}/metrics", gateway.url), &[]).await;
    assert!(metrics.contains("\nseawall_gateway_reload_failed 1\n"), "{metrics}");
    let (_, _, status) = get(&format!("{}/status", gateway.url), &[]).await;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["config"]["generation"], 5);
    let error = &status["config"]["last_reload_error"];
    assert!(error["message"].as_str().unwrap().ends_with(":1: key with no value, expected `=`"));
    assert!(error["at"].as_str().unwrap().starts_with("20"));
}

#[cfg(unix)]
#[tokio::test]
async fn reload_is_reported_in_json_when_log_is_json() {
    let file = config_file(&service("a", 1));
    let gateway = GatewayProcess::start(&["--config", path(&file), "--log", "json"]);
    let mut gateway = gateway;
    fs::write(file.path(), service("b", 1)).unwrap();
    gateway.signal("-HUP");
    let reloaded = gateway.read_stderr_line();
    fs::write(file.path(), "x").unwrap();
    gateway.signal("-HUP");
    let refused = gateway.read_stderr_line();
    let lines = json_lines(&format!("{reloaded}\n{refused}"));
    let report = &lines[0]["fields"]["reload"];
    assert_eq!((&report["added"][0], &report["removed"][0]), (&"b".into(), &"a".into()));
    assert_eq!((&lines[0]["level"], &lines[1]["level"]), (&"INFO".into(), &"ERROR".into()));
}
