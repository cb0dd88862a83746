//! CORS preflights.

use crate::setup::{CLIENTS, SERVICES, Setup};

const PREFLIGHT: [&str; 3] = [
    "origin: https://app.example",
    "access-control-request-method: POST",
    "access-control-request-headers: authorization, x-stainless-lang",
];

#[tokio::test]
async fn gateway_answers_preflight_of_allowed_origin() {
    let origins = "allowed_origins = [\"https://app.example\"]\n";
    for clients in ["", CLIENTS] {
        let setup = Setup::start(&format!("{origins}{clients}{SERVICES}")).await;
        let reply = setup.send("OPTIONS /keyed/x", &PREFLIGHT).await;
        assert_eq!((reply.status, reply.body.as_str()), (204, ""));
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example"),
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "authorization, x-stainless-lang"),
            ("access-control-max-age", "600"),
            ("vary", "origin"),
        ] {
            assert_eq!(reply.fields(name), [value], "{name}");
        }
        assert_eq!(setup.origin.requests(), 0);
    }
}

#[tokio::test]
async fn preflight_of_other_origin_is_refused_and_not_forwarded() {
    for (clients, service) in [("", "keyed"), (CLIENTS, "keyed"), (CLIENTS, "plain")] {
        let setup = Setup::start(&format!("{clients}{SERVICES}")).await;
        let reply = setup.send(&format!("OPTIONS /{service}/x"), &PREFLIGHT).await;
        reply.service_refusal(403);
        assert!(reply.fields("access-control-allow-origin").is_empty());
        assert_eq!(setup.origin.requests(), 0);
    }
}

#[tokio::test]
async fn upstream_answers_preflight_of_open_service() {
    let setup = Setup::start(SERVICES).await;
    for service in ["keyless", "plain"] {
        let head = setup.forwarded(&format!("OPTIONS /{service}/x"), &PREFLIGHT).await;
        for field in PREFLIGHT {
            assert!(head.contains(field), "{field} not in {head}");
        }
    }
}
