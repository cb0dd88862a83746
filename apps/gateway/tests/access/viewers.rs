//! The limits of open event streams.

use std::{net::SocketAddr, time::Duration};

use scripted_origin::{Origin, Script};
use tokio::{net::TcpStream, time::Instant};

use crate::{
    raw::{Reply, open},
    setup::{address, other_loopback},
    support::GatewayProcess,
};

async fn gateway() -> (Origin, GatewayProcess) {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let gateway = GatewayProcess::start(&["--upstream", &format!("x=http://{}", origin.addr())]);
    (origin, gateway)
}

async fn view(number: u8, gateway: SocketAddr) -> (Reply, TcpStream) {
    open(other_loopback(number), gateway, "GET /@/events").await
}

/// Opens event streams of one address, up to its limit.
async fn view_up_to_limit(number: u8, gateway: SocketAddr) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..8 {
        let (reply, stream) = view(number, gateway).await;
        assert_eq!(reply.status, 200);
        streams.push(stream);
    }
    streams
}

#[tokio::test]
async fn address_has_at_most_eight_event_streams() {
    let (_origin, gateway) = gateway().await;
    let gateway = address(&gateway);
    let mut streams = view_up_to_limit(1, gateway).await;
    let (reply, _) = view(1, gateway).await;
    assert_eq!((reply.status, reply.fields("retry-after")), (503, vec!["5"]));
    if cfg!(target_os = "linux") {
        assert_eq!(view(2, gateway).await.0.status, 200);
    }
    streams.pop();
    let started = Instant::now();
    while view(1, gateway).await.0.status != 200 {
        assert!(started.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn all_addresses_have_at_most_32_event_streams() {
    let (_origin, gateway) = gateway().await;
    let gateway = address(&gateway);
    let mut streams = Vec::new();
    for number in 1..=4 {
        streams.extend(view_up_to_limit(number, gateway).await);
    }
    assert_eq!(view(5, gateway).await.0.status, 503);
}
