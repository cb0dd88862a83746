//! A hyper connection without a pool, and the meaning of its "canceled" error.

use http::{Request, StatusCode};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use scripted_origin::{Origin, Script};
use seawall::{Cause, Processed, classify::classify_error};
use tokio::net::TcpStream;

use crate::support::sockets::{Body, channel, empty, eventually, origin};

async fn connect(origin: &Origin) -> (SendRequest<Body>, Connection<TokioIo<TcpStream>, Body>) {
    let stream = TcpStream::connect(origin.addr()).await.unwrap();
    http1::handshake(TokioIo::new(stream)).await.unwrap()
}

fn post(body: Body) -> Request<Body> {
    let request = Request::post("/").header("host", "upstream");
    request.body(body).unwrap()
}

#[tokio::test]
async fn request_on_closed_connection_is_not_processed() {
    let origin = origin(Script::Healthy).await;
    let (mut sender, connection) = connect(&origin).await;
    drop(connection);
    let error = sender.send_request(post(empty())).await.unwrap_err();
    assert!(error.is_canceled());
    assert_eq!(classify_error(&error).processed(), Processed::No);
    assert_eq!(classify_error(&error).cause(), Cause::ConnectionTerminated);
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn request_queued_when_connection_ends_is_not_processed() {
    let origin = origin(Script::Healthy).await;
    let (mut sender, connection) = connect(&origin).await;
    let call = sender.send_request(post(empty()));
    drop(connection);
    let error = call.await.unwrap_err();
    assert!(error.is_canceled());
    assert_eq!(classify_error(&error).processed(), Processed::No);
    assert_eq!(classify_error(&error).cause(), Cause::ConnectionTerminated);
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn request_after_idle_close_by_origin_is_not_processed() {
    let origin = origin(Script::AcceptClose).await;
    let (mut sender, connection) = connect(&origin).await;
    // The connection ends when it reads the close.
    connection.await.unwrap_err();
    let error = sender.send_request(post(empty())).await.unwrap_err();
    assert!(error.is_canceled());
    assert_eq!(classify_error(&error).processed(), Processed::No);
    assert_eq!(origin.requests(), 0);
}

#[tokio::test]
async fn request_written_when_connection_drops_may_be_processed() {
    let origin = origin(Script::Silent).await;
    let (mut sender, connection) = connect(&origin).await;
    let connection = tokio::spawn(connection);
    let call = tokio::spawn(sender.send_request(post(empty())));
    eventually(|| origin.received().len() == 1).await;
    connection.abort();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(classify_error(&error).processed(), Processed::Maybe);
}

/// hyper returns "canceled" here too, although the server has read the request and responded.
#[tokio::test]
async fn failed_upgrade_may_be_processed() {
    let origin = origin(Script::EarlyStatus(101)).await;
    let (mut sender, connection) = connect(&origin).await;
    let connection = tokio::spawn(connection.with_upgrades());
    // The body never ends, so hyper does not hand over the connection.
    let (_sender, body) = channel();
    let mut request = post(body);
    let headers = request.headers_mut();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", "test".parse().unwrap());
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    connection.abort();
    let error = hyper::upgrade::on(response).await.unwrap_err();
    assert!(error.is_canceled());
    assert_eq!(classify_error(&error).processed(), Processed::Maybe);
}
