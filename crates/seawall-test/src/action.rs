//! The action of a step.

use std::{fmt, sync::Arc};

use seawall_core::BoxError;

/// The action after the request is read.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Respond,
    Close,
    Reset,
    Silent,
    Garbage,
    Refuse,
    Error(ErrorFn),
}

impl Action {
    pub(crate) const fn refuses_connection(&self) -> bool {
        matches!(self, Self::Refuse)
    }

    /// Returns whether an upstream on a socket supports the action.
    pub(crate) const fn works_on_socket(&self) -> bool {
        !matches!(self, Self::Refuse | Self::Error(_))
    }
}

/// Creates an error for each request.
#[derive(Clone)]
pub(crate) struct ErrorFn(Arc<dyn Fn() -> BoxError + Send + Sync>);

impl ErrorFn {
    pub(crate) fn new(create: impl Fn() -> BoxError + Send + Sync + 'static) -> Self {
        Self(Arc::new(create))
    }

    pub(crate) fn create(&self) -> BoxError {
        (self.0)()
    }
}

impl fmt::Debug for ErrorFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
