//! The error type of the layers, and access to its sources.

#[cfg(feature = "reqwest-0_13")]
pub(crate) mod reqwest;
mod std_error;

use std::{error::Error, io};

pub use self::std_error::as_std_error;

/// The error of a layer that creates errors of its own: the same type as `tower::BoxError` and `axum::BoxError`.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The maximum length of an error chain. Real chains have a handful of links. The bound ends the walk along a chain that
/// contains itself by mistake.
const MAX_LINKS: usize = 64;

/// Returns the errors of a chain: `error`, its source, the source of that, and so on.
///
/// Differs from repeated [`Error::source`] in one point: an [`io::Error`] that carries another error yields that
/// error next. `io::Error::source` skips it, which hides, for example, the error of a TLS library. At most 64 errors are returned.
#[must_use = "iterators are lazy"]
pub fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| next(error)).take(MAX_LINKS)
}

fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match carried {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}

/// Finds the first error of type `T` in a chain: `error` itself, its source, the source of that, and so on.
///
/// It recognizes a layer's [`BoxError`], wherever in a stack it was made. At most 64 links are followed. An error carried by
/// an [`io::Error`] is found too.
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
