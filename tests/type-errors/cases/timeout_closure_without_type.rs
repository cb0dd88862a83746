use std::time::Duration;

use seawall::timeout::TimeoutLayer;

fn main() {
    let _layer = TimeoutLayer::from_fn(|request| {
        request.uri().path().starts_with("/reports/").then_some(Duration::from_secs(60))
    });
}
