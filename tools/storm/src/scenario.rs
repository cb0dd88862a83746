//! The faults of the upstream.

use std::{ops::Range, time::Duration};

use rand::{RngExt, rngs::StdRng};

use crate::upstream::WORKERS;

/// The duration of a simulation.
pub(crate) const DURATION_SECS: u64 = 120;
/// The mean rate of calls.
pub(crate) const CALLS_PER_SEC: f64 = 1_000.0;
/// The second in which most faults start.
const FAULT_START: u64 = 20;
const INSTANCES: u64 = 10;

#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A random fraction of requests fails.
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

/// The upstream's reaction to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Queues it for this many workers.
    Serve {
        workers: usize,
    },
    Respond {
        status: u16,
        retry_after: Option<u16>,
    },
    /// Refuses the connection.
    Refuse,
    /// Never responds.
    Hang,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestArrival {
    /// The time since the start of the simulation.
    pub(crate) now: Duration,
    /// Requests in this second, including this one.
    pub(crate) requests_in_second: u32,
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
        title: "the upstream closes idle connections unnoticed",
        fault: Fault::Stale,
    },
    Scenario { name: "blip", title: "down for 2 s: 502 at once", fault: Fault::Blip },
];

/// Requests per second that the rate limit allows.
const RATE_LIMIT: u32 = 600;

impl Scenario {
    pub(crate) fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The seconds of the fault.
    pub(crate) fn fault(&self) -> Range<u64> {
        match self.fault {
            Fault::Random | Fault::Stale => 0..DURATION_SECS,
            Fault::Blip => FAULT_START..FAULT_START + 2,
            _ => FAULT_START..FAULT_START + 30,
        }
    }

    /// Whether the fault ends before the simulation does.
    pub(crate) fn recovers(&self) -> bool {
        self.fault().end < DURATION_SECS
    }

    /// Whether responses are late or missing during the fault.
    pub(crate) fn delays_responses(&self) -> bool {
        self.is(Fault::Silent) || self.is(Fault::Brownout)
    }

    /// The requests per second that the upstream can serve during the fault, if that is below the offered load.
    pub(crate) fn capacity(&self) -> Option<f64> {
        match self.fault {
            Fault::Brownout => Some(800.0),
            Fault::RateLimit => Some(f64::from(RATE_LIMIT)),
            _ => None,
        }
    }

    pub(crate) fn pools_connections(&self) -> bool {
        self.is(Fault::Stale)
    }

    /// Whether callers send at this time. They always do, except where connections must become idle.
    pub(crate) fn is_sending(&self, now: Duration) -> bool {
        !self.is(Fault::Stale) || now.as_secs() % 10 < 4
    }

    pub(crate) fn action(&self, arrival: RequestArrival, random: &mut StdRng) -> Action {
        let serve = Action::Serve { workers: WORKERS };
        let second = arrival.now.as_secs();
        if !self.fault().contains(&second) {
            return serve;
        }
        let bad_gateway = Action::Respond { status: 502, retry_after: None };
        match self.fault {
            Fault::Random if random.random_bool(0.05) => bad_gateway,
            Fault::Down | Fault::Blip => bad_gateway,
            Fault::Silent => Action::Hang,
            Fault::Brownout => Action::Serve { workers: WORKERS / 2 },
            // The balancer picks an instance at random, regardless of health.
            Fault::BadInstance if random.random_range(0..INSTANCES) == 3 => bad_gateway,
            Fault::Restart if is_restarting(second, random.random_range(0..INSTANCES)) => {
                Action::Refuse
            }
            Fault::RateLimit if arrival.requests_in_second > RATE_LIMIT => {
                Action::Respond { status: 429, retry_after: Some(2) }
            }
            _ => serve,
        }
    }
}

/// Whether an instance restarts: they take turns of three seconds, and refuse connections in the first of these.
fn is_restarting(second: u64, instance: u64) -> bool {
    let since = second - FAULT_START;
    since.is_multiple_of(3) && since / 3 == instance
}
