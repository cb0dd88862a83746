//! A real Prometheus that scrapes the gateway and evaluates every expression.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use scripted_origin::{Origin, Script};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    expressions::{of_dashboard, selectors},
    path,
    support::GatewayProcess,
};

/// The maximum wait for a result, which only a broken test reaches.
const LIMIT: Duration = Duration::from_secs(30);

/// A running Prometheus, killed on drop.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts Prometheus with the alerts. It scrapes the gateway five times a second.
    fn start(gateway: &GatewayProcess) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = gateway.url.strip_prefix("http://").unwrap();
        let config = format!(
            "global: {{ scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms }}\n\
             rule_files: [{}]\n\
             scrape_configs:\n  - job_name: seawall-gateway\n    static_configs: [{{ targets: [{target:?}] }}]\n",
            json!(path("deploy/alerts.yml")),
        );
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config).unwrap();
        // Prometheus does not print the port that it chooses.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address, _folder: folder }
    }

    /// Returns the data of a path of the API, or an error while Prometheus starts.
    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let uri = format!("http://{}/api/v1/{path}?{query}", self.address).parse().unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&[u8]>>();
        let response = client.get(uri).await.map_err(|error| error.to_string())?;
        let bytes = response.into_body().collect().await.map_err(|error| error.to_string())?;
        let value: Value =
            serde_json::from_slice(&bytes.to_bytes()).map_err(|error| error.to_string())?;
        if value["status"] == "success" {
            Ok(value["data"].clone())
        } else {
            Err(value.to_string())
        }
    }

    /// Evaluates an expression until it has a value that is not NaN.
    async fn wait_for_value(&self, name: &str, expression: &str) {
        let started = Instant::now();
        loop {
            let result = self.get("query", &[("query", expression)]).await;
            let has_value = result.as_ref().is_ok_and(|data| {
                let samples = data["result"].as_array().unwrap();
                samples.iter().any(|sample| sample["value"][1] != "NaN")
            });
            if has_value {
                return;
            }
            assert!(started.elapsed() < LIMIT, "{name}: {expression}\nhas no value: {result:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends requests until both circuits of `down` have opened and its retry budget is exhausted.
async fn send_requests(gateway: &GatewayProcess) {
    for _ in 0..60 {
        gateway.request("GET", "/down/x").await;
    }
    for _ in 0..5 {
        gateway.request("GET", "/up").await;
        // Recovers by a retry.
        gateway.request("GET", "/flaky").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs prometheus"]
async fn every_expression_has_a_value_when_an_upstream_fails() {
    let up = Origin::start(Script::Healthy).await.unwrap();
    let flaky = Origin::start(Script::Flaky { every: 2 }).await.unwrap();
    let down = Origin::start(Script::Refuse).await.unwrap();
    let config = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let service = |name: &str, origins: &[&Origin]| {
        let upstreams = origins.iter();
        let upstreams = upstreams
            .map(|origin| format!("[[service.upstream]]\nurl = \"http://{}\"\n", origin.addr()));
        format!("[[service]]\nname = \"{name}\"\n{}", upstreams.collect::<String>())
    };
    let services =
        [service("up", &[&up]), service("flaky", &[&flaky]), service("down", &[&down, &down])];
    fs::write(config.path(), services.concat()).unwrap();
    let gateway = GatewayProcess::start(&["--config", config.path().to_str().unwrap()]);
    // The first scrape sees the counters, so that the next ones see an increase.
    send_requests(&gateway).await;
    let prometheus = Prometheus::start(&gateway);
    prometheus.wait_for_value("scrape", "up{job=\"seawall-gateway\"} == 1").await;
    send_requests(&gateway).await;

    for (title, expression) in of_dashboard() {
        prometheus.wait_for_value(&title, &expression).await;
        for selector in selectors(&expression) {
            prometheus.wait_for_value(&title, &selector).await;
        }
    }
    let rules = prometheus.get("rules", &[]).await.unwrap();
    let groups = rules["groups"].as_array().unwrap();
    let rules: Vec<_> =
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(rules.len() >= 16, "{rules:?}");
    for rule in &rules {
        let (name, query) = (rule["name"].as_str().unwrap(), rule["query"].as_str().unwrap());
        assert_eq!((&rule["health"], &rule["lastError"]), (&"ok".into(), &Value::Null), "{name}");
        // An alert has no value while it does not fire, but its selectors have.
        for selector in selectors(query) {
            prometheus.wait_for_value(name, &selector).await;
        }
        if rule["type"] == "recording" {
            prometheus.wait_for_value(name, query).await;
        }
    }
    // The outage fires these, or makes them pending until `for` has passed.
    for alert in [
        "SeawallCallersSeeFailures",
        "SeawallServiceUnavailable",
        "SeawallCircuitOpen",
        "SeawallRetryBudgetExhausted",
        "SeawallRetryRatioHigh",
    ] {
        prometheus.wait_for_value(alert, &format!("ALERTS{{alertname=\"{alert}\"}}")).await;
    }
    let quiet = prometheus.get("query", &[("query", "ALERTS{alertname=\"SeawallGatewayDown\"}")]);
    assert_eq!(quiet.await.unwrap()["result"], Value::Array(Vec::new()));
}
