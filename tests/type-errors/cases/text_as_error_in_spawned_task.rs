use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use seawall::retry::{ReplayBody, RetryLayer};
use tower::{ServiceBuilder, ServiceExt};

/// Has the bounds of `tokio::spawn`.
fn spawn<F: Future<Output: Send + 'static> + Send + 'static>(_: F) {}

fn main() {
    spawn(async {
        let client = ServiceBuilder::new().layer(RetryLayer::new()).service_fn(
            async |_: Request<ReplayBody<Empty<Bytes>>>| Err::<Response<Full<Bytes>>, _>("down"),
        );
        client.oneshot(Request::new(Empty::new())).await.is_ok()
    });
}
