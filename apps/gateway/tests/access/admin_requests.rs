//! The pages from which a browser uses the dashboard, the metrics and the controls.

use crate::setup::{ADMIN, ADMIN_SECTION, SERVICES, Setup, basic, bearer};

#[tokio::test]
async fn page_under_foreign_name_is_refused_without_token() {
    let setup = Setup::start(&format!("{ADMIN_SECTION}{SERVICES}")).await;
    for path in ["GET /", "GET /metrics", "GET /@/page.js", "GET /@/events"] {
        let refusal = setup.send(path, &["host: evil.example"]).await.refusal(403);
        assert!(refusal.contains("IP address or localhost"), "{refusal}");
    }
}

#[tokio::test]
async fn foreign_page_is_refused_with_and_without_token() {
    let setup = Setup::start(&format!("{ADMIN_SECTION}{SERVICES}")).await;
    let token = basic("any", ADMIN);
    for field in [
        "origin: https://evil.example",
        "origin: null",
        "sec-fetch-site: cross-site",
        "sec-fetch-site: same-site",
    ] {
        for path in ["GET /", "GET /metrics", "GET /@/page.js", "GET /@/events", "POST /"] {
            setup.send(path, &[field]).await.refusal(403);
            setup.send(path, &[field, &token]).await.refusal(403);
            setup.send(path, &[field, &bearer(ADMIN)]).await.refusal(403);
        }
    }
}

#[tokio::test]
async fn link_on_foreign_page_opens_dashboard() {
    let setup = Setup::start(&format!("{ADMIN_SECTION}{SERVICES}")).await;
    let link = ["sec-fetch-site: cross-site", "sec-fetch-mode: navigate"];
    let with_destination = |destination| [&link[..], &[destination]].concat();
    let opened = setup.send("GET /", &with_destination("sec-fetch-dest: document")).await;
    assert_eq!(opened.status, 200);
    setup.send("GET /", &with_destination("sec-fetch-dest: iframe")).await.refusal(403);
    setup.send("POST /", &with_destination("sec-fetch-dest: document")).await.refusal(403);
    let token = bearer(ADMIN);
    let with_token = [&with_destination("sec-fetch-dest: document")[..], &[&token]].concat();
    setup.send("POST /", &with_token).await.refusal(403);
    assert_eq!(setup.send("GET /", &with_token).await.status, 200);
}

#[tokio::test]
async fn change_needs_own_origin_or_bearer_token() {
    let setup = Setup::start(&format!("{ADMIN_SECTION}{SERVICES}")).await;
    let own = format!("origin: {}", setup.gateway.url);
    let (basic, bearer) = (basic("any", ADMIN), bearer(ADMIN));
    for fields in [&[][..], &[&basic[..]], &["sec-fetch-site: none"]] {
        setup.send("POST /", fields).await.refusal(403);
    }
    // An admitted POST reaches the route, which has no such method.
    for fields in [&[&own[..]][..], &["sec-fetch-site: same-origin"], &[&bearer], &[&basic, &own]] {
        assert_eq!(setup.send("POST /", fields).await.status, 405, "{fields:?}");
    }
}
