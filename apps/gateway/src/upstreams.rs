//! The embedded upstreams.

use scripted_origin::Script;
use seawall::Cause;

/// Name, how it fails, in words, and what is wrong with it in truth. One with which nothing is wrong
/// fails only when it is told to.
pub(crate) const UPSTREAMS: [(&str, Script, &str, Option<Cause>); 8] = [
    ("healthy", Script::Raw(NGINX), "is an nginx whose upstream is down", None),
    ("flaky", Script::Flaky { every: 10 }, "answers every tenth 502", Some(Cause::BadGateway)),
    (
        "busy",
        Script::Busy { every: 10, seconds: 1 },
        "answers every tenth 503, wait 1 s",
        Some(Cause::Overloaded),
    ),
    ("dead", Script::Refuse, "refuses connections", Some(Cause::ConnectionRefused)),
    ("reset", Script::Reset, "resets connections", Some(Cause::ConnectionTerminated)),
    (
        "truncated",
        Script::TruncatedHead,
        "breaks off in the head",
        Some(Cause::ConnectionTerminated),
    ),
    ("garbage", Script::Garbage, "answers what is not HTTP", Some(Cause::HttpProtocolError)),
    ("silent", Script::Silent, "never answers", Some(Cause::HttpResponseTimeout)),
];

/// What nginx answers when it gets nothing from the server behind it.
const NGINX: &[u8] =
    b"HTTP/1.1 502 Bad Gateway\r\nserver: nginx/1.22.1\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n\
    <html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
