//! The deadline and the timers that the layers which limit time share.

mod body;
mod deadline;
mod timer;

pub use self::{body::TimedBody, deadline::Deadline};
pub(crate) use self::{
    body::{BodyLimits, LimitedBody},
    timer::{poll_at, poll_from_now},
};
