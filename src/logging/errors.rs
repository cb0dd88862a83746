use std::error::Error;

use seawall_core::internal::as_std_error;

/// Converts the errors of a service to [`Error`], so that their source chain can be read.
pub trait AsStdError<E> {
    /// Returns the error as an [`Error`], or `None` if its type is unknown.
    fn as_std_error<'a>(&self, error: &'a E) -> Option<&'a (dyn Error + 'static)>;
}

/// An [`AsStdError`] for [`BoxError`](crate::BoxError), [`Infallible`](std::convert::Infallible),
/// [`std::io::Error`], [`Failure`](crate::Failure), and the errors of the client libraries whose
/// features are enabled.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct KnownErrors {}

impl<E: 'static> AsStdError<E> for KnownErrors {
    fn as_std_error<'a>(&self, error: &'a E) -> Option<&'a (dyn Error + 'static)> {
        as_std_error(error)
    }
}

/// An [`AsStdError`] that calls a closure.
///
/// Created by [`LoggingLayer::error_fn`](super::LoggingLayer::error_fn).
#[derive(Clone, Copy)]
pub struct ErrorFn<F>(pub(super) F);

impl<E, F> AsStdError<E> for ErrorFn<F>
where
    F: Fn(&E) -> &(dyn Error + 'static),
{
    fn as_std_error<'a>(&self, error: &'a E) -> Option<&'a (dyn Error + 'static)> {
        Some((self.0)(error))
    }
}

impl<F> std::fmt::Debug for ErrorFn<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErrorFn")
    }
}
