//! The `Location` of a response.

use crate::{
    exchange::{gateway_with, head, values},
    origin::{Origin, write},
};

const GET: &str = "GET /a/x HTTP/1.1\r\nHost: h\r\n\r\n";

fn redirecting() -> Origin {
    Origin::answer(|request, stream| {
        let host = values(&request.head, "host")[0];
        let response = format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{host}/base/y?q#f\r\nContent-Length: 0\r\n\
             Content-Location: /base/z\r\n\r\n"
        );
        write(stream, &response);
    })
}

#[test]
fn location_at_upstream_becomes_location_at_gateway_if_enabled() {
    let origin = redirecting();
    let gateway = gateway_with(&origin, "", "rewrite_location = true");
    let response = head(&gateway, GET);
    assert_eq!(values(&response, "location"), ["/a/y?q#f"]);
    assert_eq!(values(&response, "content-location"), ["/a/z"]);
}

#[test]
fn location_has_prefix_of_trusted_proxy() {
    let origin = redirecting();
    let trust = "[forwarding]\ntrusted_proxies = [\"127.0.0.0/8\"]\n";
    let gateway = gateway_with(&origin, trust, "rewrite_location = true");
    let get = GET.replace("\r\n\r\n", "\r\nX-Forwarded-Prefix: /outer\r\n\r\n");
    assert_eq!(values(&head(&gateway, get), "location"), ["/outer/a/y?q#f"]);
}

#[test]
fn location_is_unchanged_by_default() {
    let origin = redirecting();
    let gateway = gateway_with(&origin, "", "");
    let response = head(&gateway, GET);
    let expected = format!("{}/base/y?q#f", origin.url());
    assert_eq!(values(&response, "location"), [expected]);
}
