use std::error::Error;

use seawall_core::internal::as_std_error;

/// Views the errors of a service as [`Error`]s, so that they can be looked into.
pub trait AsStdError<E> {
    /// The error as one; `None`: there is no telling.
    fn view<'a>(&self, error: &'a E) -> Option<&'a (dyn Error + 'static)>;
}

/// Knows [`BoxError`](crate::BoxError), [`Infallible`](std::convert::Infallible), [`std::io::Error`],
/// [`Failure`](crate::Failure), and the errors of the client libraries whose features are on.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct KnownErrors {}

impl<E: 'static> AsStdError<E> for KnownErrors {
    fn view<'a>(&self, error: &'a E) -> Option<&'a (dyn Error + 'static)> {
        as_std_error(error)
    }
}

/// Made by [`LoggingLayer::error_fn`](super::LoggingLayer::error_fn).
#[derive(Clone, Copy)]
pub struct ErrorFn<F>(pub(super) F);

impl<E, F> AsStdError<E> for ErrorFn<F>
where
    F: Fn(&E) -> &(dyn Error + 'static),
{
    fn view<'a>(&self, error: &'a E) -> Option<&'a (dyn Error + 'static)> {
        Some((self.0)(error))
    }
}

impl<F> std::fmt::Debug for ErrorFn<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErrorFn")
    }
}
