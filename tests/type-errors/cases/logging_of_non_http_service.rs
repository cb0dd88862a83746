use seawall::logging::LoggingLayer;
use tower::ServiceBuilder;
use type_errors::{Echo, check};

fn main() {
    check::<String>(ServiceBuilder::new().layer(LoggingLayer::client()).service(Echo));
}
