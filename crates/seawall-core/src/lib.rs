//! The vocabulary of [seawall](https://docs.rs/seawall), without its Tower layers.
//!
//! A [`Failure`] has three parts: the [`Cause`] by the terms of RFC 9209, the [`Reporter`], and whether the request was
//! [`Processed`], which decides whether a retry is safe.
//!
//! - [`classify`] derives it from an HTTP response, from a gRPC response, or from the error of a client library.
//! - [`fingerprint`] derives it from the response of a gateway, by the field `Proxy-Status` and by a database of error pages.
//! - [`attempts`] and [`elapsed`] declare the extensions and errors in which layers report retries and time limits.
//!
//! Applications depend on `seawall`, which re-exports these items. This crate is for other middleware, client libraries and log
//! processors. It performs no I/O and has no timers.
//!
//! # Features
//!
//! No feature is enabled by default.
//!
//! | feature | effect |
//! |---|---|
//! | `fingerprint` | the diagnosis of responses by `Proxy-Status` and the database |
//! | `hyper`, `hyper-util`, `h2`, `reqwest-0_13`, `rustls-0_23`, `tokio`, `tonic-0_14`, `tower-0_5`, `tower-http-0_6`, `tower-http-0_7` | the classifier recognizes the errors of these crates |
#![cfg_attr(docsrs, feature(doc_cfg))]
// Without a client library, parts of the error context are unused.
#![cfg_attr(not(all(feature = "fingerprint", feature = "reqwest-0_13")), allow(dead_code))]
#![warn(missing_docs)]

pub mod attempts;
pub mod classify;
#[cfg(feature = "hyper-util")]
pub mod connection;
pub mod elapsed;
mod error;
mod failure;
pub mod fingerprint;
mod ratio;

#[cfg(feature = "reqwest-0_13")]
pub use self::error::reqwest::Error as ReqwestError;
pub use self::{
    error::{BoxError, find_source},
    failure::{
        Blame, Cause, ClosedBy, Detail, Failure, ParseCauseError, Processed, Product, Reporter,
        Resource,
    },
    ratio::{Ratio, RatioOutOfRange},
};

/// Shared with the layers of seawall. Not covered by semantic versioning.
#[doc(hidden)]
pub mod internal {
    pub use crate::{
        classify::{
            content_type::is_plain_text, grpc::classify_grpc_status, grpc_status::grpc_code,
            http::classify_response,
        },
        error::{as_std_error, chain},
    };
}
