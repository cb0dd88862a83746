use std::{any::Any, convert::Infallible, error::Error, io};

use super::BoxError;
use crate::failure::Failure;

/// Views a service's error, of whatever type, as an [`Error`] that can be classified.
///
/// Needed because [`BoxError`] is not itself an [`Error`], so no one bound covers it and the error types of clients.
/// `None` for a type that is not among those known here: [`BoxError`], [`Infallible`], [`io::Error`], [`Failure`]
/// and those of the client libraries whose features are on.
pub(crate) fn as_dyn<E: 'static>(error: &E) -> Option<&(dyn Error + 'static)> {
    let error: &dyn Any = error;
    if let Some(error) = error.downcast_ref::<BoxError>() {
        return Some(&**error);
    }
    macro_rules! known {
        ($($(#[$meta:meta])* $ty:ty),* $(,)?) => {$(
            $(#[$meta])*
            if let Some(error) = error.downcast_ref::<$ty>() {
                return Some(error);
            }
        )*};
    }
    known! {
        Infallible,
        io::Error,
        Failure,
        #[cfg(feature = "hyper")] hyper::Error,
        #[cfg(feature = "hyper-util")] hyper_util::client::legacy::Error,
        #[cfg(feature = "reqwest-0_13")] reqwest::Error,
        #[cfg(feature = "reqwest-0_13")] super::reqwest::Error,
        #[cfg(feature = "tonic-0_14")] tonic::Status,
    }
    None
}
