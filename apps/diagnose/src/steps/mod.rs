//! The steps of a diagnosis, one per module.

mod body;
mod certificates;
mod client;
pub(crate) mod dns;
pub(crate) mod http;
pub(crate) mod tcp;
pub(crate) mod tls;

use seawall::{Cause, Failure, Processed, Reporter};

/// Creates a failure that occurred before any byte of the request was sent.
fn failure_before_request(cause: Cause) -> Failure {
    Failure::new(cause).with_reporter(Reporter::Local).with_processed(Processed::No)
}
