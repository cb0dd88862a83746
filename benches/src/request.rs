//! The requests of the cases.

use std::fmt;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;

/// The request of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// No header, no body.
    Get,
    /// Four headers, no body. A header map with entries is allocated, so a copy of it allocates
    /// too.
    GetWithHeaders,
    /// The same headers and a body of 1 KiB.
    Post,
    /// The case is not a call.
    None,
}

impl RequestKind {
    /// Builds a request.
    #[must_use]
    pub fn request(self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = Uri::from_static("http://127.0.0.1:8080/api/items?id=1");
        if self == Self::Post {
            thread_local! {
                // Allocated, like the body of a real request. Clones of `Bytes::from_static` are
                // cheaper.
                static BODY: Bytes = Bytes::copy_from_slice(&[b'x'; 1024]);
            }
            *request.method_mut() = Method::POST;
            *request.body_mut() = Full::new(BODY.with(Clone::clone));
        }
        if self != Self::Get {
            let headers = request.headers_mut();
            for (name, value) in [
                (header::HOST, "127.0.0.1:8080"),
                (header::USER_AGENT, "benches/0"),
                (header::ACCEPT, "application/json"),
                (header::AUTHORIZATION, "Bearer abcdefgh"),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        request
    }
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::GetWithHeaders => "GET, 4 headers",
            Self::Post => "POST 1 KiB, 4 headers",
            Self::None => "-",
        })
    }
}
