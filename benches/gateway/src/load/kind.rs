//! The kinds of requests.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// GET without a body.
    Get,
    /// POST with 1 KiB of JSON.
    Post,
    /// POST whose response contains the request line and the body that the origin received.
    Echo,
    /// The same without a proxy.
    EchoDirect,
    /// POST of a chat completion, with 1 KiB of JSON.
    Chat,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post | Self::Echo | Self::EchoDirect => "POST",
            Self::Chat => "chat completion",
        }
    }

    pub(super) fn request(self, proxy: SocketAddr, origin: SocketAddr) -> Request<Full<Bytes>> {
        let path = match self {
            Self::Get | Self::Post => "/api/users/42?fields=name",
            Self::Echo => "/api/echo?to=gateway_bench",
            Self::EchoDirect => "/echo?to=gateway_bench",
            Self::Chat => "/v1/chat/completions",
        };
        let mut request = Request::builder()
            .uri(path)
            .header(header::HOST, proxy.to_string())
            .header(header::USER_AGENT, "gateway_bench")
            .header(header::ACCEPT, "application/json");
        if self == Self::Get {
            return request.body(Full::default()).expect("a valid request");
        }
        let json = if self == Self::Chat { chat() } else { text(1024 - 11) };
        if self == Self::Chat {
            // Portkey reads its settings from the header, and the others forward or drop them.
            request = request
                .header(header::AUTHORIZATION, "Bearer key-of-the-caller")
                .header("x-portkey-provider", "openai")
                .header("x-portkey-custom-host", format!("http://{origin}/v1"))
                .header("x-portkey-config", r#"{"retry":{"attempts":2}}"#);
        }
        let request = request.method(Method::POST).header(header::CONTENT_TYPE, "application/json");
        request.body(json.into()).expect("a valid request")
    }

    /// Returns whether this may be the body of a response with the status 200.
    pub(super) fn expects(self, body: &[u8]) -> bool {
        match self {
            Self::Get | Self::Post => body.len() == 200 && body.iter().all(|&byte| byte == b'a'),
            Self::Chat => body.len() > 700,
            Self::Echo | Self::EchoDirect => true,
        }
    }
}

fn text(length: usize) -> String {
    format!("{{\"text\":\"{}\"}}", "a".repeat(length))
}

fn chat() -> String {
    let content = "Summarize this in one sentence. ".repeat(29);
    format!(
        "{{\"model\":\"bench\",\"temperature\":0.5,\"messages\":[{{\"role\":\"user\",\"content\":\"{content}\"}}]}}"
    )
}
