//! One step each, and nothing but what it found.

mod body;
pub(crate) mod dns;
pub(crate) mod http;
mod stack;
pub(crate) mod tcp;
pub(crate) mod tls;
mod trust;

use seawall::{Cause, Failure, Processed, Reporter};

/// A failure seen here before any byte of the request was sent.
fn unsent(cause: Cause) -> Failure {
    Failure::new(cause).with_reporter(Reporter::Local).with_processed(Processed::No)
}
