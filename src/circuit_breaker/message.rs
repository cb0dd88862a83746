//! The messages of events.

use std::fmt;

use super::{settings::Settings, state::State, state_machine::Transition};

/// The subject of a message: the circuit, with its key.
pub(super) struct Subject<'a>(pub(super) Option<&'a str>);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circuit")?;
        // A caller may have chosen the text of a key. `Debug` escapes it.
        match self.0 {
            Some(key) => write!(f, " for {key:?}"),
            None => Ok(()),
        }
    }
}

/// A change of state in one sentence.
pub(super) struct TransitionMessage<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) settings: &'a Settings,
    pub(super) transition: Transition,
}

impl fmt::Display for TransitionMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, settings, transition } = self;
        let Transition { old, new, opened_by, counts, rejected, .. } = transition;
        write!(f, "{subject} ")?;
        match new {
            State::Open => {
                f.write_str(if *old == State::HalfOpen { "opened again" } else { "opened" })?;
                if let Some(failure) = opened_by {
                    write!(f, ": {failure}")?;
                }
                write!(f, "; {} of {} calls failed", counts.failures, counts.calls)?;
            }
            State::HalfOpen => {
                write!(
                    f,
                    "is half-open: up to {} calls pass as probes",
                    settings.half_open_probes
                )?;
            }
            State::Closed => {
                f.write_str("closed")?;
                if *old == State::HalfOpen {
                    let succeeded = counts.calls.saturating_sub(counts.failures);
                    write!(f, ": {succeeded} of {} probes succeeded", counts.calls)?;
                }
            }
            State::ForcedOpen => f.write_str("was forced open")?,
            State::ForcedClosed => f.write_str("was forced closed")?,
        }
        match rejected {
            0 => {}
            1 => f.write_str("; 1 call was rejected")?,
            _ => write!(f, "; {rejected} calls were rejected")?,
        }
        if settings.dry_run { f.write_str(" (dry run)") } else { Ok(()) }
    }
}
