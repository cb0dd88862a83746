//! The steps of a diagnosis, one per module.

mod body;
mod certificates;
mod client;
pub(crate) mod dns;
pub(crate) mod http;
mod peer;
mod probe;
pub(crate) mod tcp;
pub(crate) mod tls;

use std::{net::SocketAddr, time::Duration};

use seawall::{Cause, Failure, Processed, Reporter};

use crate::{secrets::Secrets, target::Target};

/// The parameters of the steps that use a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection<'a> {
    pub(crate) peer: SocketAddr,
    pub(crate) target: &'a Target,
    /// The timeout of each step.
    pub(crate) limit: Duration,
    pub(crate) secrets: &'a Secrets,
}

/// Creates a failure that occurred before any byte of the request was sent.
fn failure_before_request(cause: Cause) -> Failure {
    Failure::new(cause).with_reporter(Reporter::Local).with_processed(Processed::No)
}
