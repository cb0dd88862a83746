use axum::{Router, routing::get};
use seawall::standard::StandardLayer;

fn main() {
    let _app: Router =
        Router::new().route("/", get(async || "hi")).layer(StandardLayer::new("edge"));
}
