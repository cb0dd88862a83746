//! The probes of a half-open circuit.

use std::{num::NonZeroU32, time::Duration};

use super::{settings::Settings, window::Counts};

/// The slots of the probes in flight, and the results of the probes that have ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Probes {
    slots: Vec<Slot>,
    pub(super) succeeded: u32,
    pub(super) failed: u32,
    /// The number of the last admitted probe.
    last_probe: u32,
}

/// The slot of a probe in flight. Another call may take it after `expires`.
#[derive(Clone, Copy, Debug)]
struct Slot {
    probe: NonZeroU32,
    expires: Duration,
}

impl Probes {
    /// Returns whether another probe can be admitted. A probe in flight occupies a slot, and each
    /// result does too.
    pub(super) fn has_free_slot(&self, now: Duration, settings: &Settings) -> bool {
        let in_flight = self.slots.iter().filter(|slot| now < slot.expires).count() as u64;
        let occupied = in_flight + self.counts().calls;
        occupied < settings.half_open_probes.get().into()
    }

    /// Takes a slot and returns the number of the probe.
    pub(super) fn acquire_slot(&mut self, now: Duration, settings: &Settings) -> NonZeroU32 {
        self.slots.retain(|slot| now < slot.expires);
        self.last_probe = self.last_probe.wrapping_add(1);
        let probe = NonZeroU32::new(self.last_probe).unwrap_or(NonZeroU32::MAX);
        self.slots.push(Slot { probe, expires: now.saturating_add(settings.probe_timeout) });
        probe
    }

    pub(super) fn release_slot(&mut self, probe: Option<NonZeroU32>) {
        self.slots.retain(|slot| Some(slot.probe) != probe);
    }

    /// Returns whether no probe in flight occupies a slot.
    pub(super) fn is_idle(&self, now: Duration) -> bool {
        self.slots.iter().all(|slot| now >= slot.expires)
    }

    pub(super) fn counts(&self) -> Counts {
        let failures = self.failed.into();
        Counts { calls: u64::from(self.succeeded) + u64::from(self.failed), failures }
    }
}
