//! The pages of other origins.

use crate::setup::{ANN, CLIENTS, SERVICES, Setup, basic, bearer};

const FOREIGN: [&[&str]; 8] = [
    &["origin: https://evil.example"],
    &["origin: null"],
    &["origin: http://127.0.0.1:1"],
    &["origin: chrome-extension://abc"],
    &["sec-fetch-site: cross-site"],
    &["sec-fetch-site: same-site"],
    &["sec-fetch-site: same-origin", "origin: https://evil.example"],
    &["sec-fetch-site: cross-site", "sec-fetch-mode: navigate", "sec-fetch-dest: document"],
];

#[tokio::test]
async fn foreign_page_never_spends_api_key() {
    let setup = Setup::start(SERVICES).await;
    let port = setup.address().port();
    let rebound =
        [format!("host: evil.example:{port}"), format!("origin: http://evil.example:{port}")];
    let rebound: Vec<_> = rebound.iter().map(String::as_str).collect();
    for fields in FOREIGN.iter().copied().chain([&rebound[..], &rebound[..1]]) {
        for request in ["POST /keyed/x", "GET /keyed/x"] {
            let reply = setup.send(request, fields).await;
            assert!(reply.service_refusal(403).contains("allowed_origins"), "{fields:?}");
        }
    }
    assert_eq!(setup.origin.requests(), 0);
    let own = format!("origin: {}", setup.gateway.url);
    for fields in
        [&[][..], &[&own[..]], &["sec-fetch-site: same-origin"], &["sec-fetch-site: none"]]
    {
        assert_eq!(setup.send("POST /keyed/x", fields).await.status, 200, "{fields:?}");
    }
}

#[tokio::test]
async fn foreign_page_uses_service_without_api_key() {
    let setup = Setup::start(SERVICES).await;
    for service in ["keyless", "plain"] {
        for fields in FOREIGN {
            let reply = setup.send(&format!("POST /{service}/x"), fields).await;
            assert_eq!(reply.status, 200, "{fields:?}");
        }
    }
}

#[tokio::test]
async fn allowed_origin_spends_api_key_and_reads_response() {
    let origins = "allowed_origins = [\"https://app.example\", \"app://desktop\"]\n";
    let setup = Setup::start(&format!("{origins}{SERVICES}")).await;
    for origin in ["https://app.example", "app://desktop"] {
        let field = format!("origin: {origin}");
        let fields = [&field, "sec-fetch-site: cross-site", "host: gateway.example"];
        let reply = setup.send("POST /keyed/x", &fields).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.fields("access-control-allow-origin"), [origin]);
        assert_eq!(reply.fields("vary"), ["origin"]);
    }
    for origin in ["http://app.example", "https://app.example:1", "https://app.example.evil"] {
        let reply = setup.send("POST /keyed/x", &[&format!("origin: {origin}")]).await;
        reply.service_refusal(403);
        assert!(reply.fields("access-control-allow-origin").is_empty());
    }
    let two = ["origin: https://app.example", "origin: https://evil.example"];
    setup.send("POST /keyed/x", &two).await.service_refusal(403);
    assert_eq!(setup.origin.requests(), 2);
}

#[tokio::test]
async fn foreign_page_with_token_spends_api_key_unless_browser_sent_token() {
    let setup = Setup::start(&format!("{CLIENTS}{SERVICES}")).await;
    let (bearer, basic) = (bearer(ANN), basic("ann", ANN));
    for fields in FOREIGN {
        setup.send("POST /keyed/x", fields).await.service_refusal(401);
        let status = setup.send("POST /keyed/x", &[fields, &[&bearer]].concat()).await.status;
        assert_eq!(status, 200, "{fields:?}");
        // A browser repeats HTTP Basic for every page.
        setup.send("POST /keyed/x", &[fields, &[&basic]].concat()).await.service_refusal(403);
    }
    assert_eq!(setup.send("POST /keyed/x", &[&basic]).await.status, 200);
}

#[tokio::test]
async fn allowed_origin_reads_refusals() {
    let origins = "allowed_origins = [\"https://app.example\"]\n";
    let setup = Setup::start(&format!("{origins}{CLIENTS}{SERVICES}")).await;
    let reply = setup.send("POST /keyed/x", &["origin: https://app.example"]).await;
    reply.service_refusal(401);
    assert_eq!(reply.fields("access-control-allow-origin"), ["https://app.example"]);
}
