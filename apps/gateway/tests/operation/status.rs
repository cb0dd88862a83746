//! `/status`.

use scripted_origin::{Origin, Script};
use serde_json::{Value, json};

use crate::{
    config_file, gateway_with, path,
    support::{GatewayProcess, get, send},
};

async fn status(gateway: &GatewayProcess) -> Value {
    let (status, headers, body) = get(&format!("{}/status", gateway.url), &[]).await;
    assert_eq!(
        (status.as_u16(), &headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    assert_eq!(headers["cache-control"], "no-store");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn status_has_circuit_counts_and_last_failure_of_each_upstream() {
    let down = Origin::start(Script::Status(503)).await.unwrap();
    let url = format!("http://{}/", down.addr());
    let file = config_file(&format!(
        "[policy]\nretries = 1\n[[service]]\nname = \"chat\"\ndialect = \"openai\"\n\
         policy.open_after = 2\n[[service.upstream]]\nurl = \"{url}\"\napi_key_env = \"KEY_ONE\"\n\
         [[service]]\nname = \"idle\"\nurl = \"{url}\"\n"
    ));
    let variables = [("KEY_ONE", "key-one-secret")];
    let gateway = GatewayProcess::start_with_env(&["--config", path(&file)], &variables);
    gateway.request("GET", "/chat").await;
    let mut status = status(&gateway).await;
    assert!(status["uptime_seconds"].is_u64());
    assert!(status["config"]["loaded_at"].take().as_str().unwrap().ends_with('Z'));
    assert_eq!(
        status["config"],
        json!({ "generation": 1, "loaded_at": null, "last_reload_error": null })
    );
    assert_eq!(status["requests_in_flight"], 0);
    assert_eq!(status["log"], json!({ "dropped_lines": 0 }));
    let [chat, idle] = &mut status["services"].as_array_mut().unwrap()[..] else { panic!() };
    let upstream = &mut chat["upstreams"][0];
    let wait = upstream["available_in_ms"].take().as_u64().unwrap();
    assert!(wait > 0 && wait < 60_000, "{wait}");
    assert!(upstream["last_failure"]["at"].take().as_str().unwrap().starts_with("20"));
    assert!(upstream["last_failure"]["advice"].take().is_string());
    assert_eq!(
        *upstream,
        json!({
            "name": "chat", "url": url, "key": "KEY_ONE", "circuit": "open", "available": false,
            "available_in_ms": null, "in_flight": 0, "requests": 2, "failures": 2,
            "last_failure": { "at": null, "cause": "overloaded", "reporter": "unknown", "status": 503, "advice": null },
        })
    );
    assert_eq!(
        (&chat["name"], &chat["dialect"], &chat["retry_budget_used"]),
        (&json!("chat"), &json!("openai"), &json!(0.1))
    );
    assert_eq!(
        *idle,
        json!({
            "name": "idle", "dialect": null, "retry_budget_used": 0.0, "in_flight": 0,
            "upstreams": [{
                "name": "idle", "url": url, "key": null, "circuit": "closed", "available": true,
                "available_in_ms": null, "in_flight": 0, "requests": 0, "failures": 0, "last_failure": null,
            }],
        })
    );
}

#[tokio::test]
async fn status_counts_requests_in_flight() {
    let (origin, gateway) = gateway_with(Script::Silent, &["--timeout", "60"]).await;
    let url = format!("{}/x", gateway.url);
    let call = tokio::spawn(async move { send("GET", &url, &[]).await });
    while origin.requests() == 0 {
        tokio::task::yield_now().await;
    }
    let status = status(&gateway).await;
    assert_eq!(status["requests_in_flight"], 1);
    assert_eq!(status["services"][0]["upstreams"][0]["in_flight"], 1);
    call.abort();
}

#[tokio::test]
async fn status_has_the_access_policy_of_the_metrics() {
    let (_origin, gateway) = gateway_with(Script::Healthy, &[]).await;
    let url = format!("{}/status", gateway.url);
    for field in
        [("x-forwarded-for", "1.1.1.1"), ("host", "evil.example"), ("sec-fetch-site", "cross-site")]
    {
        assert_eq!(send("GET", &url, &[field]).await.status(), 403, "{field:?}");
    }
    assert_eq!(send("POST", &url, &[("sec-fetch-site", "same-origin")]).await.status(), 405);
}
