use http::{Request, Response};
use seawall::retry::{ReplayBody, RetryLayer};
use tower::ServiceBuilder;
use type_errors::{Body, check};

#[derive(Debug)]
struct Failed;

fn main() {
    let client = ServiceBuilder::new().layer(RetryLayer::new()).service_fn(
        async |_: Request<ReplayBody<Body>>| Err::<Response<Body>, _>(Failed),
    );
    check::<Request<Body>>(client);
}
