use seawall::standard::StandardLayer;
use tower::ServiceBuilder;
use type_errors::NotClone;

fn main() {
    let _client = ServiceBuilder::new().layer(StandardLayer::new("billing")).service(NotClone);
}
