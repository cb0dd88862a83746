//! The limit of wrong tokens by address.

use crate::{
    raw::{Reply, send_from},
    setup::{ADMIN, ADMIN_SECTION, ANN, CLIENTS, SERVICES, SHORT, Setup, bearer, other_loopback},
};

const REQUEST: &str = "POST /keyed/x";

/// Sends wrong tokens until the address is over the limit. Returns the first refusal after that.
async fn exceed_limit(setup: &Setup) -> Reply {
    for number in 0..10 {
        let reply = setup.send(REQUEST, &[&bearer(&format!("wrong-{number}"))]).await;
        reply.service_refusal(401);
        assert_eq!(reply.fields("www-authenticate"), ["Bearer realm=\"seawall-gateway\""]);
    }
    setup.send(REQUEST, &[&bearer("wrong")]).await
}

#[tokio::test]
async fn wrong_tokens_are_limited_and_valid_token_is_admitted() {
    let setup = Setup::start(&format!("{CLIENTS}{SERVICES}")).await;
    let limited = exceed_limit(&setup).await;
    limited.service_refusal(429);
    let [wait] = limited.fields("retry-after")[..] else { panic!("{limited:?}") };
    assert!((1..=60).contains(&wait.parse::<u32>().unwrap()), "{limited:?}");
    assert_eq!(limited.fields("x-should-retry"), ["false"]);
    assert_eq!(setup.origin.requests(), 0);
    assert_eq!(setup.send(REQUEST, &[&bearer(ANN)]).await.status, 200);
    setup.send(REQUEST, &[&bearer("wrong")]).await.service_refusal(429);
    setup.send(REQUEST, &[]).await.service_refusal(401);
    if cfg!(target_os = "linux") {
        send_from(other_loopback(2), setup.address(), REQUEST, &[&bearer("wrong")])
            .await
            .service_refusal(401);
    }
}

#[tokio::test]
async fn short_token_is_refused_while_address_is_over_limit() {
    let client = "[[client]]\nname = \"c\"\ntoken_env = \"TEST_TOKEN_SHORT\"\n";
    let setup = Setup::start(&format!("{client}{SERVICES}")).await;
    assert_eq!(setup.send(REQUEST, &[&bearer(SHORT)]).await.status, 200);
    exceed_limit(&setup).await.service_refusal(429);
    setup.send(REQUEST, &[&bearer(SHORT)]).await.service_refusal(429);
    assert_eq!(setup.origin.requests(), 1);
    if cfg!(target_os = "linux") {
        let other = send_from(other_loopback(2), setup.address(), REQUEST, &[&bearer(SHORT)]).await;
        assert_eq!(other.status, 200);
    }
}

#[tokio::test]
async fn missing_token_is_no_guess() {
    let setup = Setup::start(&format!("{CLIENTS}{SERVICES}")).await;
    for _ in 0..15 {
        setup.send(REQUEST, &[]).await.service_refusal(401);
    }
    setup.send(REQUEST, &[&bearer("wrong")]).await.service_refusal(401);
}

#[tokio::test]
async fn each_credential_of_request_is_one_guess() {
    let setup = Setup::start(&format!("{CLIENTS}{SERVICES}")).await;
    let guesses = ["x-api-key: a"; 10];
    setup.send(REQUEST, &guesses).await.service_refusal(401);
    setup.send(REQUEST, &guesses[..1]).await.service_refusal(429);
    let valid = bearer(ANN);
    let many: Vec<_> = guesses.iter().cycle().take(16).copied().chain([&valid[..]]).collect();
    setup.send(REQUEST, &many).await.service_refusal(400);
    assert_eq!(setup.send(REQUEST, &many[1..]).await.status, 200);
}

#[tokio::test]
async fn wrong_admin_tokens_are_limited_like_wrong_client_tokens() {
    let admin = format!("{ADMIN_SECTION}loopback = false\n");
    let setup = Setup::start(&format!("{admin}{CLIENTS}{SERVICES}")).await;
    for _ in 0..10 {
        setup.send("GET /metrics", &[&bearer("wrong")]).await.refusal(401);
    }
    let limited = setup.send("GET /metrics", &[&bearer("wrong")]).await;
    limited.refusal(429);
    assert_eq!(limited.fields("retry-after").len(), 1);
    setup.send(REQUEST, &[&bearer("wrong")]).await.service_refusal(429);
    assert_eq!(setup.send("GET /metrics", &[&bearer(ADMIN)]).await.status, 200);
}
