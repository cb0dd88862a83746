//! Client, service, upstream and key in the log and in the metrics.

use scripted_origin::{Origin, Script};

use crate::{
    config_file, json_lines, path,
    support::{GatewayProcess, send},
};

const SECRETS: [(&str, &str); 4] = [
    ("TOKEN_ANN", "token-of-ann-6c1f0a5e9b3d4782"),
    ("TOKEN_BOB", "token-of-bob-93b7d2e84fa1c605"),
    ("KEY_ONE", "key-one-secret"),
    ("KEY_TWO", "key-two-secret"),
];

#[tokio::test]
async fn log_and_metrics_name_client_service_upstream_and_key() {
    let origins = [
        Origin::start(Script::Healthy).await.unwrap(),
        Origin::start(Script::Status(401)).await.unwrap(),
    ];
    let [one, two] = origins.each_ref().map(Origin::addr);
    let file = config_file(&format!(
        "[[client]]\nname = \"ann\"\ntoken_env = \"TOKEN_ANN\"\n\
         [[client]]\nname = \"bob\"\ntoken_env = \"TOKEN_BOB\"\n\
         [[service]]\nname = \"m\"\n\
         [[service.upstream]]\nurl = \"http://{one}\"\napi_key_env = \"KEY_ONE\"\n\
         [[service.upstream]]\nurl = \"http://{two}\"\napi_key_env = \"KEY_TWO\"\n"
    ));
    let arguments = ["--config", path(&file), "--log", "json"];
    let gateway = GatewayProcess::start_with_env(&arguments, &SECRETS);
    let url = format!("{}/m/x", gateway.url);
    for number in 0..20 {
        let token = format!("Bearer {}", SECRETS[number % 2].1);
        send("GET", &url, &[("authorization", &token)]).await;
    }
    let metrics = gateway.request("GET", "/metrics").await.2;
    let names = [format!("m 1 · {one}"), format!("m 2 · {two}")];
    for (name, key, status) in [(&names[0], "KEY_ONE", 200), (&names[1], "KEY_TWO", 401)] {
        let labels = format!("upstream=\"{name}\",upstream_key=\"{key}\"}}");
        let status = format!("status_code=\"{status}\"");
        let is_sample = |line: &str| {
            line.starts_with("http_client_request_duration_count") && line.contains(&status)
        };
        let is_labelled = |line: &str| is_sample(line) && line.contains(&labels);
        assert!(metrics.lines().any(is_labelled), "{labels} in\n{metrics}");
    }
    for client in ["ann", "bob"] {
        let labels = format!("client=\"{client}\",service=\"m\"}}");
        assert!(metrics.contains(&labels), "{labels} in\n{metrics}");
    }
    let (_, log) = gateway.stop("-TERM");
    let lines = json_lines(&log);
    let requests: Vec<_> = lines
        .iter()
        .map(|line| &line["fields"])
        .filter(|fields| fields["url.path"] == "/m/x")
        .collect();
    assert_eq!(requests.len(), 20, "{log}");
    for (index, fields) in requests.iter().enumerate() {
        assert_eq!(fields["seawall.client"], ["ann", "bob"][index % 2]);
        assert_eq!(fields["seawall.service"], "m");
        let endpoint = usize::from(fields["http.response.status_code"] == 401);
        assert_eq!(fields["seawall.upstream.name"], names[endpoint]);
        assert_eq!(fields["seawall.upstream.key"], ["KEY_ONE", "KEY_TWO"][endpoint]);
        assert_eq!(fields["seawall.request_id"].as_str().unwrap().len(), 32);
    }
    for (_, secret) in SECRETS {
        assert!(!log.contains(secret) && !metrics.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn refused_request_has_its_service_and_client_in_the_log() {
    let file = config_file(
        "[limit]\nrequests_per_minute = 1\nburst = 1\n\
         [[client]]\nname = \"ann\"\ntoken_env = \"TOKEN_ANN\"\n\
         [[service]]\nname = \"m\"\nurl = \"http://127.0.0.1:1\"\n",
    );
    let arguments = ["--config", path(&file), "--log", "json"];
    let mut variables = SECRETS.to_vec();
    variables.push(("RUST_LOG", "debug"));
    let gateway = GatewayProcess::start_with_env(&arguments, &variables);
    let url = format!("{}/m/x", gateway.url);
    let token = format!("Bearer {}", SECRETS[0].1);
    send("GET", &url, &[("authorization", &token)]).await;
    assert_eq!(send("GET", &url, &[("authorization", &token)]).await.status(), 429);
    let (_, log) = gateway.stop("-TERM");
    let lines = json_lines(&log);
    let is_limited = |line: &&serde_json::Value| line["fields"]["http.response.status_code"] == 429;
    let fields = &lines.iter().find(is_limited).expect(&log)["fields"];
    assert_eq!(
        (&fields["seawall.client"], &fields["seawall.service"]),
        (&"ann".into(), &"m".into())
    );
    assert!(fields["seawall.upstream.name"].is_null());
}
