use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Full, Empty};
use seawall::{RetryLayer, BoxError, retry::ReplayBody, LoggingLayer};
use tower::{ServiceBuilder, Service, ServiceExt, service_fn};
struct MyError;
impl std::fmt::Display for MyError { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) }}

fn check<S: Service<Request<Full<Bytes>>>>(_: S) {}
fn main() {
    check(ServiceBuilder::new().layer(RetryLayer::new().send_as(|b: ReplayBody<Empty<Bytes>>| b)).service(service_fn(async |_: Request<ReplayBody<Empty<Bytes>>>| Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())))));
    check(ServiceBuilder::new().layer(LoggingLayer::client().errors_as(|b: &std::io::Error| b as _)).service(service_fn(async |_: Request<Full<Bytes>>| Err::<Response<Full<Bytes>>, _>(MyError))));
}
