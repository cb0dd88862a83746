use axum::{Router, routing::get};
use seawall::TimeoutLayer;
use std::time::Duration;

fn main() {
    let _app: Router = Router::new().route("/", get(async || "hi")).layer(TimeoutLayer::new(Duration::from_secs(1)));
}
