//! What happens to the upstream.

use std::{ops::Range, time::Duration};

use rand::{RngExt, rngs::StdRng};

use crate::upstream::WORKERS;

/// How long a storm lasts, in seconds of its own time.
pub(crate) const LENGTH: u64 = 120;
/// Calls a second, on average.
pub(crate) const RATE: f64 = 1_000.0;
/// When most faults begin.
const BEGIN: u64 = 20;
const INSTANCES: u64 = 10;

#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Each request fails by chance.
    Random,
    Down,
    Silent,
    Brownout,
    BadInstance,
    Restart,
    RateLimit,
    Stale,
    Blip,
}

/// What the upstream does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Works on it, as one of so many at once.
    Serve {
        workers: usize,
    },
    Answer {
        status: u16,
        retry_after: Option<u16>,
    },
    /// Does not take the connection.
    Refuse,
    /// Never answers.
    Silence,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Since the storm began.
    pub(crate) now: Duration,
    /// Requests of this second, this one included.
    pub(crate) in_second: u32,
}

pub(crate) static ALL: [Scenario; 9] = [
    Scenario { name: "random", title: "5 % of requests are answered 502", fault: Fault::Random },
    Scenario { name: "down", title: "down for 30 s: 502 at once", fault: Fault::Down },
    Scenario { name: "silent", title: "down for 30 s: no answer at all", fault: Fault::Silent },
    Scenario { name: "brownout", title: "half the capacity for 30 s", fault: Fault::Brownout },
    Scenario {
        name: "instance",
        title: "one of ten instances answers 502 for 30 s",
        fault: Fault::BadInstance,
    },
    Scenario {
        name: "restart",
        title: "ten instances refuse connections for 1 s in turn",
        fault: Fault::Restart,
    },
    Scenario {
        name: "ratelimit",
        title: "600 requests a second allowed for 30 s, then 429, Retry-After: 2",
        fault: Fault::RateLimit,
    },
    Scenario {
        name: "stale",
        title: "idle connections are closed while nobody looks",
        fault: Fault::Stale,
    },
    Scenario { name: "blip", title: "down for 2 s: 502 at once", fault: Fault::Blip },
];

/// The most that is let through in a second of the rate limit.
const ALLOWED: u32 = 600;

impl Scenario {
    pub(crate) fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The seconds of the fault.
    pub(crate) fn fault(&self) -> Range<u64> {
        match self.fault {
            Fault::Random | Fault::Stale => 0..LENGTH,
            Fault::Blip => BEGIN..BEGIN + 2,
            _ => BEGIN..BEGIN + 30,
        }
    }

    /// Whether it is over before the storm is.
    pub(crate) fn heals(&self) -> bool {
        self.fault().end < LENGTH
    }

    /// Whether answers take longer, or do not come.
    pub(crate) fn is_slow(&self) -> bool {
        self.is(Fault::Silent) || self.is(Fault::Brownout)
    }

    /// The most that the upstream can answer in a second of the fault.
    pub(crate) fn capacity(&self) -> Option<f64> {
        match self.fault {
            Fault::Brownout => Some(800.0),
            Fault::RateLimit => Some(f64::from(ALLOWED)),
            _ => None,
        }
    }

    pub(crate) fn keeps_connections(&self) -> bool {
        self.is(Fault::Stale)
    }

    /// Whether callers call at this moment: all the time, but for where connections shall become idle.
    pub(crate) fn is_busy(&self, now: Duration) -> bool {
        !self.is(Fault::Stale) || now.as_secs() % 10 < 4
    }

    pub(crate) fn act(&self, moment: Moment, random: &mut StdRng) -> Act {
        let well = Act::Serve { workers: WORKERS };
        let at = moment.now.as_secs();
        if !self.fault().contains(&at) {
            return well;
        }
        let bad_gateway = Act::Answer { status: 502, retry_after: None };
        match self.fault {
            Fault::Random if random.random_bool(0.05) => bad_gateway,
            Fault::Down | Fault::Blip => bad_gateway,
            Fault::Silent => Act::Silence,
            Fault::Brownout => Act::Serve { workers: WORKERS / 2 },
            // The balancer picks by chance, and does not know.
            Fault::BadInstance if random.random_range(0..INSTANCES) == 3 => bad_gateway,
            Fault::Restart if is_restarting(at, random.random_range(0..INSTANCES)) => Act::Refuse,
            Fault::RateLimit if moment.in_second > ALLOWED => {
                Act::Answer { status: 429, retry_after: Some(2) }
            }
            _ => well,
        }
    }
}

/// One after the other, each for the first of three seconds.
fn is_restarting(at: u64, instance: u64) -> bool {
    let since = at - BEGIN;
    since.is_multiple_of(3) && since / 3 == instance
}
