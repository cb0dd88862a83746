use std::time::Duration;

/// The limits of a hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) max_events: usize,
    pub(super) max_bytes: usize,
    pub(super) max_hold: Duration,
    pub(super) first_byte: Duration,
    pub(super) min_rate: Option<MinRate>,
}

/// The slowest stream that is committed.
#[derive(Clone, Copy, Debug)]
pub(super) struct MinRate {
    pub(super) bytes_per_second: u32,
    pub(super) period: Duration,
}

impl MinRate {
    /// Returns the number of bytes that a stream has after the period, or earlier.
    pub(super) fn required_bytes(self) -> usize {
        (f64::from(self.bytes_per_second) * self.period.as_secs_f64()).ceil() as usize
    }
}

/// The maximum number of held frames, whatever their size. A frame may keep a read buffer of the
/// client alive.
pub(super) const MAX_FRAMES: usize = 256;

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_events: 64,
            max_bytes: 256 * 1024,
            max_hold: Duration::from_secs(60),
            first_byte: Duration::MAX,
            min_rate: None,
        }
    }
}
