//! Callers that stop the responses of HTTP/2 by flow control (RFC 9113, section 5.2).

use std::time::Duration;

use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    caller::LIMIT,
    http2::{connect, read, send},
    running::Running,
    stream_origin::{StreamOrigin, start_endless},
};

#[tokio::test]
async fn connection_ends_when_the_caller_opens_no_window() {
    let (upstream, upstream_closed) = start_endless().await;
    let gateway = Running::start("send_timeout = \"300ms\"", upstream);
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (mut requests, _connection) = connect(stream).await;
    // The body is not read, so the caller's connection answers pings and opens no window.
    let _body = send(&mut requests, "http").await;
    timeout(LIMIT, upstream_closed).await.expect("expected the end").unwrap();
}

#[tokio::test]
async fn silent_response_is_complete_when_it_lasts_longer_than_the_send_timeout() {
    let origin = StreamOrigin::start().await;
    let gateway = Running::start("send_timeout = \"100ms\"", origin.address);
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (mut requests, _connection) = connect(stream).await;
    let body = send(&mut requests, "http").await;
    sleep(Duration::from_millis(500)).await;
    origin.end_response();
    assert_eq!(read(body).await, "firstlast!");
}
