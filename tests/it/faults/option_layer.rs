//! Optional layers that change the body type.

use std::{fs, marker::PhantomData, path::Path};

use http::Request;
use seawall::{logging::LoggingLayer, test_util::FlakyService};
use tower::{Layer, Service, util::Either};

use super::Body;

type Logging = <LoggingLayer as Layer<FlakyService>>::Service;

/// Detects at compile time whether a type is a service. For a service, the inherent `IS_SERVICE`
/// shadows the default of the trait.
struct Probe<S>(PhantomData<S>);

trait DefaultProbe {
    const IS_SERVICE: bool = false;
}

impl<S> DefaultProbe for Probe<S> {}

impl<S: Service<Request<Body>>> Probe<S> {
    const IS_SERVICE: bool = true;
}

/// Both branches of `Either` need the same response type, but logging wraps the body. The
/// combination must compile, or the page of type errors must explain it.
#[test]
#[ignore = "22: option_layer(LoggingLayer) does not compile, and no page explains it"]
fn option_layer_compiles_or_is_explained_when_layer_logs() {
    assert_eq!([Probe::<Logging>::IS_SERVICE, Probe::<()>::IS_SERVICE], [true, false]);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/type_errors.rs");
    let is_explained = fs::read_to_string(page).unwrap().contains("option_layer");
    assert!(Probe::<Either<Logging, FlakyService>>::IS_SERVICE || is_explained);
}
