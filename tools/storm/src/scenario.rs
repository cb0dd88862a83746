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
/// The number of instances of the upstream.
const INSTANCES: u64 = 10;
/// The instance that fails in the scenario `instance`.
const BAD_INSTANCE: u64 = 3;

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
    StaleConnections,
    Blip,
}

/// The upstream's reaction to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Queues the request. This many workers serve the queue.
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
    Scenario { name: "random", title: "5 % of requests get 502", fault: Fault::Random },
    Scenario { name: "down", title: "down for 30 s: immediate 502", fault: Fault::Down },
    Scenario { name: "silent", title: "down for 30 s: no response", fault: Fault::Silent },
    Scenario { name: "brownout", title: "half the capacity for 30 s", fault: Fault::Brownout },
    Scenario {
        name: "instance",
        title: "one of ten instances returns 502 for 30 s",
        fault: Fault::BadInstance,
    },
    Scenario {
        name: "restart",
        title: "each of ten instances in turn refuses connections for 1 s",
        fault: Fault::Restart,
    },
    Scenario {
        name: "ratelimit",
        title: "rate limit of 600 requests a second for 30 s: excess gets 429, Retry-After: 2",
        fault: Fault::RateLimit,
    },
    Scenario {
        name: "stale",
        title: "the upstream closes idle connections, and the client does not notice",
        fault: Fault::StaleConnections,
    },
    Scenario { name: "blip", title: "down for 2 s: immediate 502", fault: Fault::Blip },
];

/// The requests per second that the rate limit allows.
const RATE_LIMIT: u32 = 600;

impl Scenario {
    fn has_fault(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Returns the seconds during which the fault is active.
    pub(crate) fn fault_seconds(&self) -> Range<u64> {
        match self.fault {
            Fault::Random | Fault::StaleConnections => 0..DURATION_SECS,
            Fault::Blip => FAULT_START..FAULT_START + 2,
            _ => FAULT_START..FAULT_START + 30,
        }
    }

    /// Returns whether the fault ends before the simulation.
    pub(crate) fn recovers(&self) -> bool {
        self.fault_seconds().end < DURATION_SECS
    }

    /// Returns whether responses are late or missing during the fault.
    pub(crate) fn delays_responses(&self) -> bool {
        self.has_fault(Fault::Silent) || self.has_fault(Fault::Brownout)
    }

    /// Returns the requests per second that the upstream can serve during the fault, if that is
    /// below the offered load.
    pub(crate) fn capacity(&self) -> Option<f64> {
        match self.fault {
            Fault::Brownout => Some(800.0),
            Fault::RateLimit => Some(f64::from(RATE_LIMIT)),
            _ => None,
        }
    }

    pub(crate) fn pools_connections(&self) -> bool {
        self.has_fault(Fault::StaleConnections)
    }

    /// Returns whether callers send requests at this time. They pause only in the stale scenario,
    /// so that connections become idle.
    pub(crate) fn is_sending(&self, now: Duration) -> bool {
        !self.has_fault(Fault::StaleConnections) || now.as_secs() % 10 < 4
    }

    /// Returns the upstream's reaction to a request.
    pub(crate) fn action(&self, arrival: RequestArrival, rng: &mut StdRng) -> Action {
        let serve = Action::Serve { workers: WORKERS };
        let second = arrival.now.as_secs();
        if !self.fault_seconds().contains(&second) {
            return serve;
        }
        let bad_gateway = Action::Respond { status: 502, retry_after: None };
        match self.fault {
            Fault::Random if rng.random_bool(0.05) => bad_gateway,
            Fault::Down | Fault::Blip => bad_gateway,
            Fault::Silent => Action::Hang,
            Fault::Brownout => Action::Serve { workers: WORKERS / 2 },
            // The balancer selects a random instance, regardless of its health.
            Fault::BadInstance if rng.random_range(0..INSTANCES) == BAD_INSTANCE => bad_gateway,
            Fault::Restart if is_restarting(second, rng.random_range(0..INSTANCES)) => {
                Action::Refuse
            }
            Fault::RateLimit if arrival.requests_in_second > RATE_LIMIT => {
                Action::Respond { status: 429, retry_after: Some(2) }
            }
            _ => serve,
        }
    }
}

/// Returns whether `instance` is restarting. Each instance in turn gets three seconds, and refuses
/// connections during the first.
fn is_restarting(second: u64, instance: u64) -> bool {
    let since_fault_start = second - FAULT_START;
    since_fault_start.is_multiple_of(3) && since_fault_start / 3 == instance
}
