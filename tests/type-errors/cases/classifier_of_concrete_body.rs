use std::error::Error;

use http::{Request, Response};
use seawall::{classify::classify_fn, retry::ReplayBody, standard::StandardLayer, BoxError, Cause, Failure};
use tower::ServiceBuilder;
use type_errors::{Body, check};

fn main() {
    let classifier = classify_fn(|outcome: Result<&Response<Body>, &(dyn Error + 'static)>| {
        outcome.is_err().then_some(Failure::new(Cause::Unknown))
    });
    let client = ServiceBuilder::new()
        .layer(StandardLayer::new("billing").classifier(classifier))
        .service_fn(async |_: Request<ReplayBody<Body>>| {
            Ok::<_, BoxError>(Response::new(Body::default()))
        });
    check::<Request<Body>>(client);
}
