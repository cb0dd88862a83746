//! The deadline, timers and body limits shared by the timeout layers.

mod body;
mod deadline;
mod timer;

pub use self::{body::TimeoutBody, deadline::Deadline};
pub(crate) use self::{
    body::{BodyKind, BodyLimits},
    timer::{poll_after, poll_at},
};
