//! What the layers that bound time have in common: the moment, the timer, the body that is timed, and the error.

#[cfg(any(feature = "body-timeout", feature = "deadline"))]
mod body;
#[cfg(any(feature = "retry", feature = "deadline"))]
mod deadline;
#[cfg(any(feature = "timeout", feature = "body-timeout", feature = "deadline"))]
mod elapsed;
#[cfg(any(feature = "timeout", feature = "deadline"))]
mod timer;

#[cfg(any(feature = "body-timeout", feature = "deadline"))]
pub use self::body::TimedBody;
#[cfg(any(feature = "body-timeout", feature = "deadline"))]
pub(crate) use self::body::{Bounds, Whose};
#[cfg(any(feature = "retry", feature = "deadline"))]
pub use self::deadline::Deadline;
#[cfg(any(feature = "timeout", feature = "body-timeout", feature = "deadline"))]
pub use self::elapsed::{Elapsed, Phase};
#[cfg(feature = "deadline")]
pub(crate) use self::timer::poll_at;
#[cfg(feature = "standard")]
pub(crate) use self::timer::poll_from_now;
#[cfg(feature = "timeout")]
pub(crate) use self::timer::poll_limit;
