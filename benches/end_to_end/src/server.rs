use std::{convert::Infallible, net::SocketAddr, sync::mpsc, thread};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, runtime::Builder};

pub(crate) const ANSWER: &str = r#"{"id":1,"name":"item","tags":["a","b"]}"#;

/// A server that answers 200 and a small body to whatever it is asked, on a thread of its own, for as long as the process is.
pub(crate) fn start() -> SocketAddr {
    let (tell, told) = mpsc::channel();
    let serve = async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        tell.send(listener.local_addr().expect("bound")).expect("somebody waits for it");
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            socket.set_nodelay(true).expect("a socket");
            let serving = http1::Builder::new().serve_connection(
                TokioIo::new(socket),
                service_fn(|request| std::future::ready(answer(&request))),
            );
            // Clients end their connections as they like.
            tokio::spawn(async { drop(serving.await) });
        }
    };
    thread::spawn(|| {
        let runtime = Builder::new_current_thread().enable_io().build().expect("a runtime");
        runtime.block_on(serve)
    });
    told.recv().expect("it has begun")
}

// The type that hyper wants.
#[allow(clippy::unnecessary_wraps)]
fn answer(_: &Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}
