//! Turns the outcome of a call into a [`Failure`], or says that it is none.
//!
//! [`HttpClassifier`] is what every layer uses unless told otherwise; [`GrpcClassifier`] reads `grpc-status` too;
//! [`classify_fn`] makes one from a closure, for services that are not HTTP or that fail in their own way.
//!
//! | outcome | [`HttpClassifier`] says |
//! |---|---|
//! | a status below 400 | no failure, at the cost of one comparison |
//! | a response into which an inner layer put a [`Failure`] | that failure |
//! | a status of 400 or more | by status: see [`HttpClassifier`] |
//! | an error with a [`Failure`] in its chain of sources | that failure |
//! | any other error | by what the client libraries and [`std::io`] tell: see [`classify_error`] |
//!
//! No rule matches the text of an error.

mod by_fn;
mod chain;
#[cfg(any(feature = "hyper", feature = "h2"))]
mod clients;
mod grpc;
mod headers;
mod http;
mod io;
#[cfg(any(feature = "bad-gateway", feature = "logging"))]
mod text;
#[cfg(feature = "rustls-0_23")]
mod tls;

use std::error::Error;

use crate::Failure;

pub use self::{
    by_fn::{ClassifyFn, classify_fn},
    chain::{classify_body_error, classify_error},
    grpc::GrpcClassifier,
    headers::{retry_after, should_retry},
    http::HttpClassifier,
};

#[cfg(feature = "bad-gateway")]
pub(crate) use self::http::of_head;
#[cfg(feature = "retry")]
pub(crate) use self::http::of_response;
#[cfg(any(feature = "bad-gateway", feature = "logging"))]
pub(crate) use self::text::is_plain_text;

/// Decides whether the outcome of a call is a failure, and which.
///
/// Implement it on a type of yours, or use [`classify_fn`]. It is called once for each attempt, on the task that
/// drives the call, so it should be quick and must not block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not classify responses of type `{Res}`",
    note = "give the layer a classifier that does: `.classifier(seawall::classify_fn(|outcome: Result<&{Res}, &(dyn \
            Error + 'static)>| ...))`, or a type of yours that implements `seawall::Classify<{Res}>`",
    note = "`HttpClassifier` and `GrpcClassifier` are for `http::Response<_>`"
)]
pub trait Classify<Res> {
    /// Classifies a response, or the error that came in its place. `None`: not a failure.
    ///
    /// Every response with a status of 400 or more should give a failure. Whether one is retried, counted or logged
    /// is for each layer to decide.
    fn classify(&self, outcome: Result<&Res, &(dyn Error + 'static)>) -> Option<Failure>;
}
