//! Refused requests to the dashboard, the metrics and the controls.

use crate::{
    config_file, path,
    support::{GatewayProcess, get, send},
};

const TOKEN: &str = "token-of-admin-58e0c7f2b9d6134a";

#[tokio::test]
async fn refused_admin_requests_are_counted_and_logged_once_in_ten_seconds() {
    let file = config_file(
        "[admin]\ntoken_env = \"TOKEN_ADMIN\"\nloopback = false\n\
         [[service]]\nname = \"x\"\nurl = \"http://127.0.0.1:1\"\n",
    );
    let variables = [("TOKEN_ADMIN", TOKEN)];
    let gateway = GatewayProcess::start_with_env(&["--config", path(&file)], &variables);
    let url = |path: &str| format!("{}{path}", gateway.url);
    let wrong = [("authorization", "Bearer GUESS")];
    for (path, fields) in [
        ("/metrics", &wrong[..]),
        ("/status", &wrong),
        ("/", &wrong),
        ("/@/events", &wrong),
        ("/metrics", &[]),
    ] {
        assert_eq!(send("GET", &url(path), fields).await.status(), 401, "{path}");
    }
    let own = [("authorization", &format!("Bearer {TOKEN}")[..])];
    let (_, _, metrics) = get(&url("/metrics"), &own).await;
    let expected = "seawall_gateway_admin_refusals_total{status=\"401\"} 5";
    assert!(metrics.lines().any(|line| line == expected), "{metrics}");
    let (_, log) = gateway.stop("-TERM");
    let lines: Vec<_> = log.lines().filter(|line| line.contains("refused")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains(" WARN refused GET /metrics with 401: Send the token of"), "{log}");
    assert!(!log.contains("GUESS") && !log.contains(TOKEN));
}
