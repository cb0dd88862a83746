//! `StandardLayer`: the complete stack as one layer.

mod cancellation;
mod configuration;
mod keys;
mod multi_hop;
mod order;
mod overrides;

use std::{
    fmt::Debug,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use seawall::{BoxError, retry::ReplayBody};
use tower::{Service, service_fn};

pub(super) type Body = Full<Bytes>;

pub(super) fn get(url: &str) -> Request<Body> {
    Request::get(url).body(Body::default()).unwrap()
}

pub(super) fn status(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::from("text"));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// Returns a call counter and a service whose responses depend on the call number, from 1.
pub(super) fn upstream<F>(
    respond: F,
) -> (
    Arc<AtomicU32>,
    impl Service<Request<ReplayBody<Body>>, Response = Response<Body>, Error = BoxError, Future: Send>
    + Clone
    + Send
    + 'static,
)
where
    F: Fn(u32) -> Result<Response<Body>, BoxError> + Clone + Send + 'static,
{
    let sent = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&sent);
    let service = service_fn(move |_: Request<ReplayBody<Body>>| {
        let outcome = respond(counted.fetch_add(1, Ordering::Relaxed) + 1);
        async { outcome }
    });
    (sent, service)
}

/// Returns a service that never responds.
pub(super) fn silent<B: Send + 'static>()
-> impl Service<Request<B>, Response = Response<Body>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ 'static {
    service_fn(async |_: Request<B>| pending().await)
}

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Returns the cause of a failed call.
pub(super) fn cause<R: Debug>(outcome: Result<R, BoxError>) -> seawall::Cause {
    seawall::classify::classify_error(&*outcome.unwrap_err()).cause()
}
