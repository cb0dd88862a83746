//! The action of an upstream at a request.

use std::{fmt, sync::Arc};

use seawall_core::BoxError;

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Respond,
    Close,
    Reset,
    Silent,
    Garbage,
    Refuse,
    Error(MakeError),
}

impl Action {
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refuse)
    }

    /// Returns whether an upstream on a socket can perform the action.
    pub(crate) const fn is_for_sockets(&self) -> bool {
        !matches!(self, Self::Refuse | Self::Error(_))
    }
}

/// Makes an error for each request.
#[derive(Clone)]
pub(crate) struct MakeError(Arc<dyn Fn() -> BoxError + Send + Sync>);

impl MakeError {
    pub(crate) fn new(make: impl Fn() -> BoxError + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub(crate) fn make(&self) -> BoxError {
        (self.0)()
    }
}

impl fmt::Debug for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
