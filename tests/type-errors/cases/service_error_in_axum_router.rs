use axum::{Router, body::Body};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use seawall::{retry::ReplayBody, standard::StandardLayer};
use tower::ServiceBuilder;

fn main() {
    let hyper: Client<_, ReplayBody<Body>> = Client::builder(TokioExecutor::new()).build_http();
    let upstream = ServiceBuilder::new().layer(StandardLayer::new("edge")).service(hyper);
    let _app: Router = Router::new().fallback_service(upstream);
}
