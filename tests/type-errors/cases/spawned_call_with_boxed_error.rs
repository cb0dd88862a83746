use http::{Request, Response};
use seawall::{BoxError, timeout::TimeoutLayer};
use std::time::Duration;
use tower::{ServiceBuilder, ServiceExt};
use type_errors::{Body, spawn};

fn main() {
    let client = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_secs(5)))
        .service_fn(async |_: Request<Body>| Ok::<_, BoxError>(Response::new(Body::default())));
    spawn(async move {
        let _ = client.oneshot(Request::new(Body::default())).await;
    });
}
