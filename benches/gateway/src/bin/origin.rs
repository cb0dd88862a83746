//! An origin server that responds to each request with 200 bytes.
//!
//! `origin [PERCENT]`: responds to PERCENT of the requests with 502 instead, at random. `/echo`
//! responds with the request, and `/v1/chat/completions` with JSON. Prints its address.

use std::{convert::Infallible, env, sync::LazyLock};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Collected, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

static BODY: [u8; 200] = [b'a'; 200];

/// A chat completion of about 1 KiB.
static COMPLETION: LazyLock<Bytes> = LazyLock::new(|| {
    let content = "An answer of a few sentences. ".repeat(24);
    let json = format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1764547200,"model":"bench","choices":[{{"index":0,"message":{{"role":"assistant","content":"{content}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":210,"completion_tokens":168,"total_tokens":378}}}}"#
    );
    json.into()
});

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let percent = env::args().nth(1).map_or(0.0, |percent| percent.parse().expect("a number"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let service = service_fn(move |request| respond(request, percent));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn respond(
    request: Request<Incoming>,
    failing_percent: f64,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // A broken upload ends the connection.
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let response = match head.uri.path() {
        "/echo" => {
            let echo = format!("{} {} {}", head.method, head.uri, String::from_utf8_lossy(&body));
            Response::new(Full::from(echo))
        }
        "/v1/chat/completions" => {
            let response = Response::builder().header(header::CONTENT_TYPE, "application/json");
            response.body(Full::new(COMPLETION.clone())).expect("a valid response")
        }
        _ => {
            let mut response = Response::new(Full::new(Bytes::from_static(&BODY)));
            if fastrand::f64() * 100.0 < failing_percent {
                *response.status_mut() = StatusCode::BAD_GATEWAY;
            }
            response
        }
    };
    Ok(response)
}
