use std::{any::type_name, error::Error, fmt};

use super::Classify;
use crate::failure::Failure;

/// Creates a [`Classify`] from a closure.
///
/// The type of the response must be written in the closure's argument:
///
/// ```
/// use std::error::Error;
/// use seawall::{classify::classify_fn, Cause, Failure};
///
/// let classifier = classify_fn(|outcome: Result<&String, &(dyn Error + 'static)>| match outcome {
///     Ok(answer) if answer == "busy" => Some(Failure::new(Cause::Overloaded)),
///     Ok(_) => None,
///     Err(error) => Some(seawall::classify::classify_error(error)),
/// });
/// # let _ = classifier;
/// ```
pub const fn classify_fn<Res, F>(classify: F) -> ClassifyFn<F>
where
    F: Fn(Result<&Res, &(dyn Error + 'static)>) -> Option<Failure>,
{
    ClassifyFn(classify)
}

/// The classifier of [`classify_fn`].
#[derive(Clone, Copy)]
pub struct ClassifyFn<F>(F);

impl<Res, F> Classify<Res> for ClassifyFn<F>
where
    F: Fn(Result<&Res, &(dyn Error + 'static)>) -> Option<Failure>,
{
    fn classify(&self, outcome: Result<&Res, &(dyn Error + 'static)>) -> Option<Failure> {
        (self.0)(outcome)
    }
}

impl<F> fmt::Debug for ClassifyFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClassifyFn").field(&format_args!("{}", type_name::<F>())).finish()
    }
}
