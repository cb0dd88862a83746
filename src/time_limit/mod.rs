//! The deadline, timers and body limits shared by the timeout layers.

mod body;
mod body_wait;
mod deadline;
mod expiry;
mod timer;

pub use self::{body::TimeoutBody, deadline::Deadline};
pub(crate) use self::{
    body::{BodyKind, BodyLimits},
    body_wait::{BodyWait, WaitRecorder},
    expiry::{drop_expired, is_expiring},
    timer::{poll_after, poll_at},
};
