use std::{any::Any, convert::Infallible, error::Error, io};

use super::BoxError;
use crate::failure::Failure;

/// Casts a service's error to an [`Error`] that can be classified.
///
/// [`BoxError`] does not implement [`Error`], so no trait bound covers both it and the error types
/// of clients. Returns `None` unless the type is [`BoxError`], [`Infallible`], [`io::Error`],
/// [`Failure`], or the error type of a client library whose feature is enabled.
pub fn as_std_error<E: 'static>(error: &E) -> Option<&(dyn Error + 'static)> {
    let error: &dyn Any = error;
    if let Some(error) = error.downcast_ref::<BoxError>() {
        return Some(&**error);
    }
    macro_rules! cast {
        ($($(#[$meta:meta])* $ty:ty),* $(,)?) => {$(
            $(#[$meta])*
            if let Some(error) = error.downcast_ref::<$ty>() {
                return Some(error);
            }
        )*};
    }
    cast! {
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
