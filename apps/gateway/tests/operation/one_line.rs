//! One line of the log for each failed request.

use scripted_origin::Script;

use crate::{gateway_with, json_lines};

#[tokio::test]
async fn failed_request_is_one_line_with_all_fields() {
    let (_origin, gateway) = gateway_with(Script::Status(502), &["--log", "json"]).await;
    for _ in 0..2 {
        gateway.request("GET", "/x/a").await;
    }
    let (_, log) = gateway.stop("-TERM");
    let lines = json_lines(&log);
    let requests: Vec<_> = lines.iter().filter(|line| line["level"] == "WARN").collect();
    assert_eq!((requests.len(), lines.len()), (2, 3), "{log}");
    for line in requests {
        let fields = &line["fields"];
        assert_eq!(
            (&fields["seawall.cause"], &fields["seawall.attempts"]),
            (&"bad_gateway".into(), &5.into())
        );
        assert_eq!(
            (&fields["seawall.service"], &fields["seawall.upstream.name"]),
            (&"x".into(), &"x".into())
        );
        for name in
            ["seawall.advice", "seawall.upstream.url", "seawall.request_id", "seawall.stop_reason"]
        {
            assert!(fields[name].is_string(), "{name} in {line}");
        }
    }
}

#[tokio::test]
async fn request_that_succeeds_after_retry_is_one_line_with_the_cause() {
    let (_origin, gateway) = gateway_with(Script::Once(502, ""), &[]).await;
    assert_eq!(gateway.request("GET", "/x/a").await.0, 200);
    let (_, log) = gateway.stop("-TERM");
    let line = log.lines().next().unwrap();
    assert!(line.contains(" INFO GET /x/a -> 200 in "), "{log}");
    assert!(line.contains(", 2 attempts, after bad gateway"), "{log}");
    assert_eq!(log.lines().count(), 2, "{log}");
}

/// While the circuit is open, the log has at most one line a minute about the rejections.
#[tokio::test]
async fn open_circuit_does_not_fill_the_log() {
    let (_origin, gateway) = gateway_with(Script::Status(503), &[]).await;
    for _ in 0..100 {
        gateway.request("POST", "/x/a").await;
    }
    let (_, log) = gateway.stop("-TERM");
    // 20 failures open the circuit. The rest is about the circuit and its probes.
    assert!(log.lines().count() <= 40, "{log}");
}
