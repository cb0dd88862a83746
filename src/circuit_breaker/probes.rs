//! The probes of a half-open circuit.

use std::{num::NonZeroU32, time::Duration};

use super::{settings::Settings, window::Counts};

/// The slots of the probes in flight, and the results of the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Probes {
    slots: Vec<Slot>,
    pub(super) succeeded: u32,
    pub(super) failed: u32,
    admitted: u32,
}

/// The slot of a probe in flight. When it expires, another call may take the slot.
#[derive(Clone, Copy, Debug)]
struct Slot {
    probe: NonZeroU32,
    expires: Duration,
}

impl Probes {
    /// Returns whether one more probe may be admitted. A probe in flight takes a slot, and so does
    /// a result.
    pub(super) fn has_free_slot(&self, now: Duration, settings: &Settings) -> bool {
        let in_flight = self.slots.iter().filter(|slot| now < slot.expires).count() as u64;
        let taken = in_flight + u64::from(self.succeeded) + u64::from(self.failed);
        taken < settings.probes.get().into()
    }

    /// Takes a slot and returns the number of the probe.
    pub(super) fn acquire_slot(&mut self, now: Duration, settings: &Settings) -> NonZeroU32 {
        self.slots.retain(|slot| now < slot.expires);
        self.admitted = self.admitted.wrapping_add(1);
        let probe = NonZeroU32::new(self.admitted).unwrap_or(NonZeroU32::MAX);
        self.slots.push(Slot { probe, expires: now.saturating_add(settings.probe_timeout) });
        probe
    }

    pub(super) fn release_slot(&mut self, probe: Option<NonZeroU32>) {
        self.slots.retain(|slot| Some(slot.probe) != probe);
    }

    /// Returns whether no probe holds a slot.
    pub(super) fn is_idle(&self, now: Duration) -> bool {
        self.slots.iter().all(|slot| now >= slot.expires)
    }

    pub(super) fn counts(&self) -> Counts {
        let failures = self.failed.into();
        Counts { calls: u64::from(self.succeeded) + u64::from(self.failed), failures }
    }
}
