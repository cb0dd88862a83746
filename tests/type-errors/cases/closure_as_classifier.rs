use std::error::Error;

use http::{Request, Response};
use seawall::{circuit_breaker::CircuitBreakerLayer, BoxError, Cause, Failure};
use tower::ServiceBuilder;
use type_errors::{Body, check};

fn main() {
    let classifier = |outcome: Result<&Response<Body>, &(dyn Error + 'static)>| {
        outcome.is_err().then_some(Failure::new(Cause::Unknown))
    };
    let client = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new().classifier(classifier))
        .service_fn(async |_: Request<Body>| Ok::<_, BoxError>(Response::new(Body::default())));
    check::<Request<Body>>(client);
}
