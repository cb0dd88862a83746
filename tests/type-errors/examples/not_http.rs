use seawall::{RetryLayer, BoxError, CircuitBreakerLayer, InFlightLimitLayer, retry::by_authority};
use tower::{ServiceBuilder, Service, ServiceExt};
use std::task::{Context, Poll};
use std::future::{Ready, ready};

#[derive(Clone)]
struct Upstream;

impl Service<String> for Upstream {
    type Response = String;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> { Poll::Ready(Ok(())) }
    fn call(&mut self, r: String) -> Self::Future { ready(Ok(r)) }
}

fn check<S: Service<String>>(_: S) {}
fn main() {
    check(ServiceBuilder::new().layer(RetryLayer::new()).service(Upstream));
    check(ServiceBuilder::new().layer(RetryLayer::new().cloned()).service(Upstream));
    check(ServiceBuilder::new().layer(CircuitBreakerLayer::new().keyed(by_authority)).service(Upstream));
    check(ServiceBuilder::new().layer(InFlightLimitLayer::new(std::num::NonZeroU32::MIN)).service(Upstream));
}
