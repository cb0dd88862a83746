//! What the layers that bound time have in common: the moment, the timer, the body that is timed, and the error.

mod body;
mod deadline;
mod elapsed;
mod timer;

pub use self::{
    body::TimedBody,
    deadline::Deadline,
    elapsed::{Elapsed, Phase},
};
pub(crate) use self::{
    body::{Bounds, Whose},
    timer::{poll_at, poll_from_now},
};
