//! Classifies the outcome of a call as a [`Failure`] or a success.
//!
//! [`HttpClassifier`] is the default of every layer. [`GrpcClassifier`] reads `grpc-status` too. [`classify_fn`] creates a classifier
//! from a closure, for services that are not HTTP or that fail in their own way.
//!
//! | outcome | classification by [`HttpClassifier`] |
//! |---|---|
//! | a status below 400 | no failure, at the cost of one comparison |
//! | a response with a [`Failure`] in its extensions, from an inner layer | that failure |
//! | a status of 400 or more | by status: see [`HttpClassifier`] |
//! | an error with a [`Failure`] in its chain of sources | that failure |
//! | any other error | by the types of the client libraries and [`std::io`]: see [`classify_error`] |
//!
//! No rule matches the text of an error.

mod classify_fn;
pub(crate) mod content_type;
mod error;
pub(crate) mod grpc;
pub(crate) mod grpc_status;
mod headers;
pub(crate) mod http;
mod retry_info;

use std::error::Error;

use crate::failure::Failure;

#[cfg(feature = "fingerprint")]
pub(crate) use self::http::classify_head;
pub use self::{
    classify_fn::{ClassifyFn, classify_fn},
    error::{classify_body_error, classify_error},
    grpc::GrpcClassifier,
    headers::{retry_after, should_retry},
    http::HttpClassifier,
};

/// Classifies the outcome of a call.
///
/// Implement it on a type of yours, or use [`classify_fn`]. It is called once for each attempt, on the task that
/// drives the call, so it should be quick and must not block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not classify responses of type `{Res}`",
    note = "give the layer a classifier that does: `.classifier(seawall::classify::classify_fn(|outcome: Result<&{Res}, &(dyn \
            Error + 'static)>| ...))`, or a type of yours that implements `seawall::classify::Classify<{Res}>`",
    note = "`HttpClassifier` and `GrpcClassifier` are for `http::Response<_>`"
)]
pub trait Classify<Res> {
    /// Classifies a response, or the error of a call without one. Returns `None` for a success.
    ///
    /// Every response with a status of 400 or more should give a failure. Whether one is retried, counted or logged
    /// is for each layer to decide.
    fn classify(&self, outcome: Result<&Res, &(dyn Error + 'static)>) -> Option<Failure>;
}
