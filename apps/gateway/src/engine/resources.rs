//! The resources that all services share.

use super::kept_bodies::KeptBodies;
use crate::client::{self, HttpClient};

/// The maximum number of bytes of all request bodies that are kept for a retry.
const MAX_KEPT_BYTES: u64 = 128 << 20;

/// # Clone
///
/// Clones share the resources.
#[derive(Clone)]
pub(super) struct Resources {
    pub(super) client: HttpClient,
    pub(super) kept_bodies: KeptBodies,
}

impl Resources {
    pub(super) fn new() -> Self {
        Self { client: client::build(), kept_bodies: KeptBodies::new(MAX_KEPT_BYTES) }
    }
}
