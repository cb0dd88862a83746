//! The upstream server.

use std::{convert::Infallible, net::SocketAddr, sync::mpsc, thread};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, runtime::Builder};

pub(crate) const RESPONSE_BODY: &str = r#"{"id":1,"name":"item","tags":["a","b"]}"#;

/// Starts a server that responds to each request with 200 and a small body.
///
/// The server runs on its own thread until the process exits.
pub(crate) fn start() -> SocketAddr {
    let (addr_sender, addr_receiver) = mpsc::channel();
    let serve = async move {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.expect("a free port on the loopback interface");
        addr_sender
            .send(listener.local_addr().expect("the listener has an address"))
            .expect("the receiver is waiting");
        loop {
            let (socket, _) = listener.accept().await.expect("the connection is accepted");
            socket.set_nodelay(true).expect("the socket is open");
            let serving = http1::Builder::new().serve_connection(
                TokioIo::new(socket),
                service_fn(|request| std::future::ready(respond(&request))),
            );
            // The error of a connection that a client closes is expected.
            tokio::spawn(async { drop(serving.await) });
        }
    };
    thread::spawn(|| {
        let runtime = Builder::new_current_thread().enable_io().build().expect("a runtime");
        runtime.block_on(serve)
    });
    addr_receiver.recv().expect("the server has started")
}

// hyper requires a `Result`.
#[allow(clippy::unnecessary_wraps)]
fn respond(_: &Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(RESPONSE_BODY.as_bytes())));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}
