//! The deadline and the timers that the layers which limit time share.

mod body;
mod deadline;
mod timer;

pub use self::{body::TimeoutBody, deadline::Deadline};
pub(crate) use self::{
    body::{BodyKind, BodyLimits},
    timer::{poll_at, poll_from_now},
};
