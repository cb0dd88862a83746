//! Tests the hints about a wrong order of layers.
//!
//! This is a unit test, because each hint is emitted once per process, and all integration tests
//! run in one process.

use std::{
    future::ready,
    io,
    sync::mpsc::{Sender, channel},
};

use http::Request;
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::{
    circuit_breaker::CircuitBreakerLayer,
    logging::LoggingLayer,
    retry::{Backoff, RetryLayer},
};

type Body = Full<bytes::Bytes>;

struct LogWriter(Sender<Vec<u8>>);

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_layer_order_is_logged_once() {
    let (writer, log) = channel();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || LogWriter(writer.clone()))
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let client = service_fn(|_: Request<_>| {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        ready(Err::<http::Response<Body>, _>(reset))
    });
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new())
        .layer(RetryLayer::new().backoff(Backoff::none()))
        .layer(LoggingLayer::client())
        .service(client);
    for _ in 0..2 {
        service.clone().oneshot(Request::new(Body::default())).await.unwrap_err();
    }
    let text = String::from_utf8(log.try_iter().flatten().collect()).unwrap();
    for hint in ["CircuitBreakerLayer wraps RetryLayer", "LoggingLayer is inside RetryLayer"] {
        assert_eq!(text.matches(hint).count(), 1, "{text}");
    }
}
