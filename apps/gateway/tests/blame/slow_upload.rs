//! A caller that stalls during its upload is to blame, not the upstream.

use crate::{caller::Caller, gateway, origin::Origin};

#[test]
fn stalled_upload_gets_408_and_opens_no_circuit() {
    let origin =
        Origin::responding("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let policy = "any_method = true\nattempt = \"200ms\"\ntotal = \"20s\"\nopen_after = 1";
    let gateway = gateway(policy, &[&origin.url]);
    let callers: Vec<_> = (0..3).map(|_| Caller::post(&gateway, 10, "hello")).collect();
    for caller in callers {
        let response = caller.response();
        assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
        assert!(response.contains("\"cause\":\"request_timeout\""), "{response}");
    }
    // A stalled upload is not repeated.
    assert_eq!(origin.requests(), 3);
    let response = Caller::complete(&gateway, "hi").response();
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}
