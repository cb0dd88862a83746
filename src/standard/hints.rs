//! Tests the hints that are emitted once per process.
//!
//! These are unit tests, because all integration tests run in one process.

use std::{
    future::{Ready, ready},
    io,
    sync::mpsc::{Receiver, Sender, channel},
};

use http::Request;
use http_body_util::Full;
use seawall_core::Ratio;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tracing::{Level, subscriber::DefaultGuard};

use crate::{
    circuit_breaker::CircuitBreakerLayer,
    logging::LoggingLayer,
    retry::{Backoff, Budget, RetryLayer},
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

/// Writes the events of this thread at `level` and above to a channel, until the guard is dropped.
fn capture_log(level: Level) -> (Receiver<Vec<u8>>, DefaultGuard) {
    let (writer, log) = channel();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(move || LogWriter(writer.clone()))
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

fn text_of(log: &Receiver<Vec<u8>>) -> String {
    String::from_utf8(log.try_iter().flatten().collect()).unwrap()
}

/// Returns a client whose connection is reset by each request.
fn failing_client<B>() -> impl Service<
    Request<B>,
    Response = http::Response<Body>,
    Error = io::Error,
    Future = Ready<io::Result<http::Response<Body>>>,
> + Clone {
    service_fn(|_: Request<B>| ready(Err(io::ErrorKind::ConnectionReset.into())))
}

#[tokio::test(start_paused = true)]
async fn wrong_layer_order_is_logged_once() {
    let (log, _guard) = capture_log(Level::DEBUG);
    let service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new())
        .layer(RetryLayer::new().backoff(Backoff::none()))
        .layer(LoggingLayer::client())
        .service(failing_client());
    for _ in 0..2 {
        service.clone().oneshot(Request::new(Body::default())).await.unwrap_err();
    }
    let text = text_of(&log);
    for hint in ["CircuitBreakerLayer wraps RetryLayer", "LoggingLayer is inside RetryLayer"] {
        assert_eq!(text.matches(hint).count(), 1, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn budget_smaller_than_retries_of_one_call_is_logged_once() {
    const HINT: &str = "set a larger minimum with RetryLayer::budget";
    let (log, _guard) = capture_log(Level::INFO);
    let call = async |layer: RetryLayer| {
        let service = layer.layer(failing_client());
        service.oneshot(Request::new(Body::default())).await.unwrap_err();
    };
    // By default a single call has fewer retries than the layer allows, on purpose.
    call(RetryLayer::new()).await;
    let nine = || RetryLayer::new().max_retries(9);
    call(nine().budget(Budget::new(Ratio::percent(20), 9))).await;
    let text = text_of(&log);
    assert_eq!(text.matches(HINT).count(), 0, "{text}");

    for _ in 0..2 {
        call(nine()).await;
    }
    let text = text_of(&log);
    assert_eq!(text.matches(HINT).count(), 1, "{text}");
    assert!(text.contains("INFO") && text.contains("max_retries=9 min=3"), "{text}");
}
