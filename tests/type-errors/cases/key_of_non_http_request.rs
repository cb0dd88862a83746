use std::num::NonZeroU32;

use seawall::{in_flight::InFlightLimitLayer, keys::by_authority};
use tower::ServiceBuilder;
use type_errors::{Echo, check};

fn main() {
    let limit = InFlightLimitLayer::new(NonZeroU32::MIN).until_response().per_key(by_authority);
    check::<String>(ServiceBuilder::new().layer(limit).service(Echo));
}
