use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use seawall::{CircuitBreakerLayer, BoxError};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = ServiceBuilder::new().layer(CircuitBreakerLayer::new().keyed(|uri| uri.host().map(Into::into))).service_fn(async |_: Request<Full<Bytes>>| Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())));
    let _ = ServiceExt::oneshot(client, Request::new(Full::<Bytes>::default())).await;
}
