//! The wait after `Retry-After`, which concerns one client only.

use crate::{
    exchange::{gateway, head, status_of, values},
    origin::{Origin, write},
};

/// Starts an origin that limits the requests with `first` in their head.
fn limiting() -> Origin {
    Origin::answer(|request, stream| {
        let response = if request.head.contains("first") {
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n"
        } else {
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        };
        write(stream, response);
    })
}

#[test]
fn client_with_other_credential_is_served_when_upstream_limits_first() {
    for (first, second) in [
        ("GET /a/x?key=first HTTP/1.1\r\n", "GET /a/x?key=second HTTP/1.1\r\n"),
        (
            "GET /a/x HTTP/1.1\r\ncookie: session=first\r\n",
            "GET /a/x HTTP/1.1\r\ncookie: session=second\r\n",
        ),
        ("GET /a/x HTTP/1.1\r\nx-api-key: first\r\n", "GET /a/x HTTP/1.1\r\nx-api-key: second\r\n"),
        ("GET /a/x?a=first&key=1 HTTP/1.1\r\n", "GET /a/x?key=2 HTTP/1.1\r\n"),
    ] {
        let origin = limiting();
        let gateway = gateway(&origin);
        let send = |request: &str| head(&gateway, format!("{request}host: h\r\n\r\n"));
        assert_eq!(status_of(&send(first)), 429, "{first}");
        // The origin does not get the repetition.
        let repeated = send(first);
        assert_eq!(status_of(&repeated), 429, "{first}");
        let wait: u32 = values(&repeated, "retry-after")[0].parse().unwrap();
        assert!((1..=30).contains(&wait), "{repeated}");
        assert_eq!(origin.received().len(), 1, "{first}");
        assert_eq!(status_of(&send(second)), 200, "{second}");
    }
}
