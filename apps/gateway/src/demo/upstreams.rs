//! The demo's upstreams.

use scripted_origin::Script;
use seawall::Cause;

use crate::dashboard::Fault;

/// The name of each upstream, its fault, the fault's description, and the expected diagnosis.
///
/// An upstream without an expected diagnosis starts healthy. The dashboard can inject its fault.
pub(crate) const UPSTREAMS: [(&str, Script, &str, Option<Cause>); 8] = [
    ("healthy", Script::Raw(NGINX_502), "returns nginx's 502 page", None),
    (
        "flaky",
        Script::Flaky { every: 10 },
        "returns 502 to every tenth request",
        Some(Cause::BadGateway),
    ),
    (
        "busy",
        Script::Busy { every: 10, seconds: 1 },
        "returns 503 to every tenth request, with Retry-After: 1",
        Some(Cause::Overloaded),
    ),
    ("dead", Script::Refuse, "refuses connections", Some(Cause::ConnectionRefused)),
    ("reset", Script::Reset, "resets connections", Some(Cause::ConnectionTerminated)),
    (
        "truncated",
        Script::TruncatedHead,
        "closes the connection within the response headers",
        Some(Cause::ConnectionTerminated),
    ),
    ("garbage", Script::Garbage, "sends data that is not HTTP", Some(Cause::HttpProtocolError)),
    ("silent", Script::Silent, "never responds", Some(Cause::HttpResponseTimeout)),
];

/// The faults that the dashboard can inject into every upstream.
pub(crate) const COMMON_FAULTS: [Fault; 3] = [
    Fault {
        id: "slow",
        script: Script::Delayed { millis: 200 },
        description: "returns 200 after 200 ms",
    },
    Fault {
        id: "rate-limit",
        script: Script::Always(429, "retry-after: 1\r\n"),
        description: "returns 429, with Retry-After: 1",
    },
    Fault {
        id: "cut",
        script: Script::TruncatedChunks,
        description: "closes the connection within the response body",
    },
];

/// nginx's response to a request whose upstream closed the connection.
const NGINX_502: &[u8] =
    b"HTTP/1.1 502 Bad Gateway\r\nserver: nginx/1.22.1\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n\
    <html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
