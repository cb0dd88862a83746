//! The time limit of connecting.

use std::io::Read;

use crate::{
    ConfiguredGateway, config,
    raw_origin::{LIMIT, RawOrigin},
    start_error,
};

#[tokio::test]
async fn connect_timeout_ends_silent_tls_handshake() {
    let origin = RawOrigin::start(|connection, _| {
        let _ = std::io::copy(connection, &mut std::io::sink());
    });
    // The attempt's own timeout is longer than the test.
    let settings = "[connections]\nconnect_timeout = \"200ms\"\n[policy]\nretries = 0";
    let url = format!("https://{}", origin.address);
    let gateway = ConfiguredGateway::start(&config(&url, settings));
    let answer = tokio::time::timeout(LIMIT, gateway.request("POST")).await.unwrap();
    assert_eq!(answer, (504, "connection_timeout".into()));
    origin.wait_until_connection_ends();
}

#[tokio::test]
async fn post_is_repeated_when_handshake_timed_out() {
    let origin = RawOrigin::start(|connection, number| {
        // The second connection is answered by something that is not TLS.
        if number > 0 {
            let _ = connection.read(&mut [0; 1]);
            return;
        }
        let _ = std::io::copy(connection, &mut std::io::sink());
    });
    let settings = "[connections]\nconnect_timeout = \"200ms\"\n[policy]\nretries = 1";
    let url = format!("https://{}", origin.address);
    let gateway = ConfiguredGateway::start(&config(&url, settings));
    // Such a connection has carried no request.
    let (status, _) = tokio::time::timeout(LIMIT, gateway.request("POST")).await.unwrap();
    assert_eq!(status, 502);
    origin.wait_until_connection_ends();
    origin.wait_until_connection_ends();
}

#[test]
fn invalid_connection_setting_is_reported_with_position() {
    for (setting, expected) in [
        ("connect_timeout = \"0s\"", "FILE:2: connect_timeout: expected a duration above 0s"),
        ("idle_timeout = 5", "FILE:2: idle_timeout: invalid type: integer `5`"),
        ("max_idle_per_host = -1", "FILE:2: max_idle_per_host: invalid value: integer `-1`"),
        ("idel_timeout = \"5s\"", "FILE:2: unknown field `idel_timeout`, expected one of"),
    ] {
        let settings = format!("[connections]\n{setting}");
        let message = start_error(&config("http://127.0.0.1:1", &settings), &[]);
        assert!(message.starts_with(expected), "{message}");
    }
}
