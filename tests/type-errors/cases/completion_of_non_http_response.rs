use std::num::NonZeroU32;

use seawall::in_flight::InFlightLimitLayer;
use tower::ServiceBuilder;
use type_errors::{Echo, check};

fn main() {
    let limit = InFlightLimitLayer::new(NonZeroU32::MIN);
    check::<String>(ServiceBuilder::new().layer(limit).service(Echo));
}
