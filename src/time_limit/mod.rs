//! The deadline, the error and the timers that the layers which limit time share.

mod body;
mod deadline;
mod elapsed;
mod timer;

pub use self::{
    body::TimedBody,
    deadline::Deadline,
    elapsed::{Elapsed, TimeoutKind},
};
pub(crate) use self::{
    body::{BodyLimits, LimitedBody},
    timer::{poll_at, poll_from_now},
};
