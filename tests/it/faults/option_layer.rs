//! Layers that change the type of the body, as an option.

use std::{fs, marker::PhantomData, path::Path};

use http::Request;
use seawall::{logging::LoggingLayer, test_util::FlakyService};
use tower::{Layer, Service, util::Either};

use super::Body;

type Logging = <LoggingLayer as Layer<FlakyService>>::Service;

/// `IS_SERVICE` is the inherent constant for services and the constant of the trait for other types.
struct Probe<S>(PhantomData<S>);

trait Otherwise {
    const IS_SERVICE: bool = false;
}

impl<S> Otherwise for Probe<S> {}

impl<S: Service<Request<Body>>> Probe<S> {
    const IS_SERVICE: bool = true;
}

/// The branches of `Either` need one type of response, and logging wraps the body. Either this compiles, or the page of type
/// errors explains it.
#[test]
#[ignore = "22: option_layer(LoggingLayer) does not compile, and no page explains it"]
fn option_layer_compiles_or_is_explained_when_layer_logs() {
    assert_eq!([Probe::<Logging>::IS_SERVICE, Probe::<()>::IS_SERVICE], [true, false]);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/type_errors.rs");
    let is_explained = fs::read_to_string(page).unwrap().contains("option_layer");
    assert!(Probe::<Either<Logging, FlakyService>>::IS_SERVICE || is_explained);
}
