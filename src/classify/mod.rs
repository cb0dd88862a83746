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

mod classify_fn;
mod content_type;
mod error;
mod grpc;
mod grpc_status;
mod headers;
mod http;

use std::error::Error;

use crate::failure::Failure;

pub use self::{
    classify_fn::{ClassifyFn, classify_fn},
    error::{classify_body_error, classify_error},
    grpc::GrpcClassifier,
    headers::{retry_after, should_retry},
    http::HttpClassifier,
};
pub(crate) use self::{
    content_type::is_plain_text,
    http::{of_head, of_response},
};

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
