//! What an upstream does with a request.

use std::{fmt, sync::Arc};

use seawall_core::error::BoxError;

#[derive(Clone, Debug)]
pub(super) enum Action {
    Respond,
    Close,
    Reset,
    Silent,
    Garbage,
    Refuse,
    Error(MakeError),
}

impl Action {
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refuse)
    }

    /// Returns whether a socket can do it.
    pub(super) const fn is_for_sockets(&self) -> bool {
        !matches!(self, Self::Refuse | Self::Error(_))
    }
}

/// Makes an error for each request.
#[derive(Clone)]
pub(super) struct MakeError(Arc<dyn Fn() -> BoxError + Send + Sync>);

impl MakeError {
    pub(super) fn new(make: impl Fn() -> BoxError + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub(super) fn make(&self) -> BoxError {
        (self.0)()
    }
}

impl fmt::Debug for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
