//! Callers of the dashboard, the metrics and the controls.

use std::net::Ipv4Addr;

use crate::{
    raw::{send, send_from},
    setup::{ADMIN, ADMIN_SECTION, SERVICES, Setup, address, basic, bearer, network_address},
    support::GatewayProcess,
};

/// The paths whose responses end.
const PAGES: [&str; 3] = ["GET /", "GET /metrics", "GET /@/page.js"];
const PATHS: [&str; 5] =
    ["GET /", "GET /metrics", "GET /@/page.js", "GET /@/events", "GET /@/icon.svg"];

/// A field by which a proxy on the same host makes known that the caller is another host.
const PROXIED: &str = "x-forwarded-for: 192.0.2.7";

#[tokio::test]
async fn local_caller_is_admitted_unless_proxy_added_field() {
    let setup = Setup::start(SERVICES).await;
    for path in PAGES {
        for host in ["host: localhost", "host: [::1]:80", "host: 10.0.0.1", "accept: */*"] {
            assert_eq!(setup.send(path, &[host]).await.status, 200, "{path} {host}");
        }
    }
    for path in PATHS {
        for field in [
            PROXIED,
            "forwarded: for=192.0.2.7",
            "via: 1.1 a",
            "x-real-ip: 192.0.2.7",
            "x-forwarded-user: a",
        ] {
            setup.send(path, &[field]).await.refusal(403);
        }
    }
}

#[tokio::test]
async fn caller_from_network_is_refused_without_token() {
    // Without a network, every address of this host is a loopback address.
    let Some(own) = network_address() else { return };
    let setup =
        Setup::start_on("0.0.0.0:0", "[[service]]\nname = \"plain\"\nurl = \"http://ORIGIN\"\n")
            .await;
    let upstream = format!("plain=http://{}", setup.origin.addr());
    let without_file = GatewayProcess::start_on("0.0.0.0:0", &["--upstream", &upstream], &[]);
    let demo = GatewayProcess::start_on("0.0.0.0:0", &[], &[]);
    for gateway in [&setup.gateway, &without_file, &demo] {
        let port = address(gateway).port();
        for path in PATHS {
            let refusal = send_from(own, (own, port).into(), path, &[]).await.refusal(403);
            assert!(refusal.contains("[admin]"), "{refusal}");
        }
        let local = send((Ipv4Addr::LOCALHOST, port).into(), "GET /metrics", &[]).await;
        assert_eq!(local.status, 200);
        let health = send_from(own, (own, port).into(), "GET /@/health", &[]).await;
        assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    }
    let port = address(&demo).port();
    let control = ["sec-fetch-site: same-origin"];
    let request = "POST /@/background-load/on";
    send_from(own, (own, port).into(), request, &control).await.refusal(403);
    let service = send_from(own, (own, setup.address().port()).into(), "GET /plain/x", &[]).await;
    assert_eq!(service.status, 200);
}

#[tokio::test]
async fn admin_token_admits_caller_from_anywhere() {
    let setup = Setup::start(&format!("{ADMIN_SECTION}{SERVICES}")).await;
    for path in PAGES {
        for token in [bearer(ADMIN), basic("any", ADMIN), basic("", ADMIN)] {
            let fields = [&token, PROXIED, "host: gateway.example"];
            assert_eq!(setup.send(path, &fields).await.status, 200, "{path} {token}");
        }
        let with_token_as_user = basic(ADMIN, "");
        for fields in [&[PROXIED][..], &[PROXIED, &with_token_as_user]] {
            let reply = setup.send(path, fields).await;
            reply.refusal(401);
            let challenges = reply.fields("www-authenticate");
            assert!(challenges[0].starts_with("Bearer "), "{challenges:?}");
            assert!(challenges[1].starts_with("Basic "), "{challenges:?}");
        }
    }
    assert_eq!(setup.send("GET /metrics", &[]).await.status, 200);
}

#[tokio::test]
async fn local_caller_needs_token_when_loopback_is_off() {
    let setup = Setup::start(&format!("{ADMIN_SECTION}loopback = false\n{SERVICES}")).await;
    for path in PATHS {
        setup.send(path, &[]).await.refusal(401);
    }
    assert_eq!(setup.send("GET /metrics", &[&bearer(ADMIN)]).await.status, 200);
}

#[cfg(unix)]
#[tokio::test]
async fn reload_replaces_admin_token() {
    let mut setup = Setup::start(&format!("{ADMIN_SECTION}{SERVICES}")).await;
    let text = std::fs::read_to_string(setup.file.path()).unwrap();
    std::fs::write(setup.file.path(), text.replace("TEST_TOKEN_ADMIN", "TEST_TOKEN_BOB")).unwrap();
    assert!(setup.gateway.signal_and_read_line("-HUP").starts_with("reloaded "));
    setup.send("GET /metrics", &[PROXIED, &bearer(ADMIN)]).await.refusal(401);
    let new = bearer(crate::setup::BOB);
    assert_eq!(setup.send("GET /metrics", &[PROXIED, &new]).await.status, 200);
}
