//! The error type of the layers, and access to its sources.

#[cfg(feature = "reqwest-0_13")]
pub(crate) mod reqwest;
mod std_error;

use std::{error::Error, io};

pub use self::std_error::as_std_error;

/// The error type of the layers that create errors. It is the same type as `tower::BoxError` and
/// `axum::BoxError`.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The maximum number of errors that [`chain`] returns. Real chains are short. The limit prevents
/// an infinite loop if an error is its own source.
const MAX_CHAIN_LEN: usize = 64;

/// Returns `error` and its sources, at most 64 errors.
///
/// If an [`io::Error`] wraps another error, that error is next. [`Error::source`] of an `io::Error`
/// skips it, and so hides, for example, the error of a TLS library.
#[must_use = "iterators are lazy"]
pub fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| next_error(error)).take(MAX_CHAIN_LEN)
}

fn next_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// Finds the first error of type `T` among `error` and its sources, at most 64 errors.
///
/// It finds the error of any layer of a stack in a [`BoxError`], and an error that an
/// [`io::Error`] wraps.
///
/// ```
/// use seawall::{BoxError, find_source};
///
/// let error: BoxError = std::io::Error::other(std::fmt::Error).into();
/// assert!(find_source::<std::fmt::Error>(&*error).is_some());
/// assert!(find_source::<std::num::ParseIntError>(&*error).is_none());
/// ```
#[must_use]
pub fn find_source<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}
