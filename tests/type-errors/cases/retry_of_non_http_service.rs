use seawall::retry::RetryLayer;
use tower::ServiceBuilder;
use type_errors::{Echo, check};

fn main() {
    check::<String>(ServiceBuilder::new().layer(RetryLayer::new()).service(Echo));
}
