use std::borrow::Cow;

use http::Uri;
use seawall::standard::StandardLayer;

fn main() {
    let by_host = |uri: &Uri| uri.host().map(Cow::Borrowed);
    let _layer = StandardLayer::new("billing").per_key(by_host);
}
