//! hyper connections without a client pool.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ::hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use futures_util::lock::Mutex;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use scripted_origin::Script;
use seawall::{
    BoxError, Cause, Processed,
    classify::classify_error,
    find_source,
    retry::{ReplayBody, RetriesExhausted},
    standard::{StandardLayer, Timeouts},
};
use tokio::net::TcpStream;
use tower::{Service, ServiceBuilder, ServiceExt};

use super::{app_failing_once, serve, stack};
use crate::support::sockets::origin;

type Body = ReplayBody<String>;

fn request(method: &str, url: &str) -> Request<String> {
    let request = Request::builder().method(method).uri(url).header("host", "upstream");
    request.body("hi".to_owned()).unwrap()
}

/// An HTTP/1.1 connection that is opened again after it has ended.
#[derive(Clone)]
struct ReconnectingSender {
    address: SocketAddr,
    idle: Arc<Mutex<Option<http1::SendRequest<Body>>>>,
}

impl ReconnectingSender {
    fn new(address: SocketAddr) -> Self {
        Self { address, idle: Arc::default() }
    }

    async fn send(self, request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        let mut idle = self.idle.lock().await;
        let mut sender = match idle.take() {
            Some(sender) => sender,
            None => self.open().await?,
        };
        if sender.ready().await.is_err() {
            sender = self.open().await?;
        }
        let response = sender.send_request(request).await?;
        *idle = Some(sender);
        Ok(response)
    }

    async fn open(&self) -> Result<http1::SendRequest<Body>, BoxError> {
        let stream = TcpStream::connect(self.address).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

fn client(
    layer: StandardLayer,
    address: SocketAddr,
) -> impl Service<Request<String>, Response = Response<impl http_body::Body>, Error = BoxError> + Clone
{
    let connection = ReconnectingSender::new(address);
    let send = move |request| connection.clone().send(request);
    ServiceBuilder::new().layer(layer).service_fn(send)
}

#[tokio::test]
async fn stack_reconnects_when_connection_ends() {
    let origin = origin(Script::StaleAfter { requests: 1 }).await;
    let client = client(stack(), origin.addr());
    for _ in 0..3 {
        let response = client.clone().oneshot(request("GET", "/")).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.ok().unwrap();
    }
    // The connection was closed on the second and third request, which were retried.
    assert_eq!((origin.connections(), origin.requests()), (3, 5));
}

#[tokio::test]
async fn stack_retries_post_when_connection_is_refused() {
    let origin = origin(Script::Refuse).await;
    let call = client(stack(), origin.addr()).oneshot(request("POST", "/"));
    let error = call.await.err().unwrap();
    let failure = classify_error(&*error);
    assert_eq!((failure.cause(), failure.processed()), (Cause::ConnectionRefused, Processed::No));
    assert_eq!(find_source::<RetriesExhausted>(&*error).unwrap().attempts().get(), 4);
}

#[tokio::test]
async fn stack_times_out_calls_when_connection_is_silent() {
    let origin = origin(Script::Silent).await;
    let timeout = Duration::from_millis(50);
    let layer = stack().timeouts(Timeouts::new(timeout, 10 * timeout).unwrap());
    let client = client(layer, origin.addr());
    // The second call waits for the connection.
    let calls = [0, 1].map(|_| client.clone().oneshot(request("POST", "/")));
    for outcome in futures_util::future::join_all(calls).await {
        let failure = classify_error(&*outcome.err().unwrap());
        assert_eq!(failure.cause(), Cause::HttpResponseTimeout);
    }
}

#[tokio::test]
async fn cloned_senders_share_http_2_connection() {
    let (app, count) = app_failing_once();
    let addr = serve(app).await;
    let stream = TokioIo::new(TcpStream::connect(addr).await.unwrap());
    let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let client = ServiceBuilder::new().layer(stack()).service_fn(move |request| {
        let mut sender: http2::SendRequest<Body> = sender.clone();
        async move {
            sender.ready().await?;
            sender.send_request(request).await
        }
    });
    let url = format!("http://{addr}/");
    let calls = [0, 1, 2].map(|_| client.clone().oneshot(request("PUT", &url)));
    for outcome in futures_util::future::join_all(calls).await {
        assert_eq!(outcome.unwrap().status(), 200);
    }
    assert_eq!(count.load(Ordering::Relaxed), 4);
}
