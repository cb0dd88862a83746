//! An origin server that responds to each request with 200 bytes.
//!
//! `origin [PERCENT]`: responds to PERCENT of the requests with 502 instead, at random. Prints its
//! address.

use std::{convert::Infallible, env};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

static BODY: [u8; 200] = [b'a'; 200];

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
    // A broken upload ends the connection.
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Full::new(Bytes::from_static(&BODY)));
    if fastrand::f64() * 100.0 < failing_percent {
        *response.status_mut() = StatusCode::BAD_GATEWAY;
    }
    Ok(response)
}
