use axum::{Router, routing::get};
use seawall::StandardLayer;

fn main() {
    let _app: Router =
        Router::new().route("/", get(async || "hi")).layer(StandardLayer::new("edge"));
}
