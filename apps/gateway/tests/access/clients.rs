//! The services and the rate limit of clients.

use crate::{
    raw::send_from,
    setup::{ANN, BOB, CLIENTS, SERVICES, Setup, bearer, other_loopback},
};

#[tokio::test]
async fn client_uses_only_listed_services() {
    let clients = format!("{CLIENTS}services = [\"plain\", \"keyless\"]\n");
    let setup = Setup::start(&format!("{clients}{SERVICES}")).await;
    for (service, status) in [("keyed", 403), ("keyless", 200), ("plain", 200)] {
        let request = format!("POST /{service}/x");
        assert_eq!(setup.send(&request, &[&bearer(BOB)]).await.status, status, "{service}");
        assert_eq!(setup.send(&request, &[&bearer(ANN)]).await.status, 200, "{service}");
    }
    let refusal = setup.send("POST /keyed/x", &[&bearer(BOB)]).await.service_refusal(403);
    assert!(refusal.contains("services"), "{refusal}");
    assert_eq!(setup.origin.requests(), 5);
}

#[tokio::test]
async fn rate_limit_counts_each_client_alone() {
    let limit = "[limit]\nrequests_per_minute = 1\nburst = 1\n";
    let setup = Setup::start(&format!("{limit}{CLIENTS}{SERVICES}")).await;
    assert_eq!(setup.send("POST /plain/x", &[&bearer(ANN)]).await.status, 200);
    let limited = setup.send("POST /plain/x", &[&bearer(ANN)]).await;
    assert_eq!(limited.status, 429);
    assert_eq!(limited.fields("retry-after").len(), 1, "{limited:?}");
    assert_eq!(setup.send("POST /plain/x", &[&bearer(BOB)]).await.status, 200);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn rate_limit_counts_each_address_alone_when_no_client_is_configured() {
    let limit = "[limit]\nrequests_per_minute = 1\nburst = 1\n";
    let setup = Setup::start(&format!("{limit}{SERVICES}")).await;
    for (number, status) in [(2, 200), (2, 429), (3, 200)] {
        let reply = send_from(other_loopback(number), setup.address(), "GET /plain/x", &[]).await;
        assert_eq!(reply.status, status, "127.0.0.{number}");
    }
}
