use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use seawall_core::{Blame, Cause, Failure, Ratio, Reporter};

use crate::circuit_breaker::window::BUCKETS;

/// The settings of a [`CircuitBreakerLayer`](super::CircuitBreakerLayer).
#[derive(Clone, Debug)]
pub struct Settings {
    /// `None` disables the window.
    pub(crate) failure_ratio: Option<Ratio>,
    pub(super) min_calls: u32,
    /// The length of a bucket of the window.
    pub(super) bucket_width: Duration,
    pub(crate) consecutive_failures: Option<NonZeroU32>,
    pub(crate) slow_call_threshold: Option<Duration>,
    pub(super) open_duration: Duration,
    pub(super) max_open_duration: Duration,
    pub(super) max_retry_after: Duration,
    pub(super) half_open_probes: NonZeroU32,
    pub(super) probe_timeout: Duration,
    pub(super) count_origin_errors: bool,
    pub(super) failure_predicate: FailurePredicate,
    pub(super) open_behavior: OpenBehavior,
    pub(super) dry_run: bool,
}

/// The readiness of a service while its circuit is open. See
/// [`open_behavior`](super::CircuitBreakerLayer::open_behavior).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenBehavior {
    /// The service is ready, and rejects the call.
    Reject,
    /// The service is not ready, so a balancer selects another.
    Backpressure,
}

/// The way in which a classified failure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CountAs {
    Success,
    Failure,
    Ignored,
}

#[derive(Clone, Default)]
pub(super) struct FailurePredicate(pub(super) Option<Arc<Predicate>>);

type Predicate = dyn Fn(&Failure) -> bool + Send + Sync;

impl fmt::Debug for FailurePredicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some" } else { "None" })
    }
}

/// The minimum of the window and of the probe timeout. With a shorter time, results and slots would
/// expire before the next call.
const MIN_PERIOD: Duration = Duration::from_millis(10);

impl Settings {
    pub(super) fn set_window(&mut self, window: Duration) {
        self.bucket_width = window.max(MIN_PERIOD) / BUCKETS as u32;
    }

    pub(super) fn window(&self) -> Duration {
        self.bucket_width * BUCKETS as u32
    }

    pub(super) fn set_probe_timeout(&mut self, probe_timeout: Duration) {
        self.probe_timeout = probe_timeout.max(MIN_PERIOD);
    }

    /// Returns whether this number of failed probes reopens the circuit.
    pub(super) fn reopens_after(&self, failed_probes: u32) -> bool {
        match self.failure_ratio {
            Some(ratio) => {
                ratio.is_reached_by(failed_probes.into(), self.half_open_probes.get().into())
            }
            None => failed_probes > 0,
        }
    }

    pub(super) fn count_as(&self, failure: &Failure) -> CountAs {
        let is_counted = match &self.failure_predicate.0 {
            Some(predicate) => predicate(failure),
            None => is_upstream_failure(failure, self.count_origin_errors),
        };
        match failure.status() {
            _ if is_counted => CountAs::Failure,
            // The upstream responded.
            Some(_) if !is_local_response(failure) => CountAs::Success,
            _ => CountAs::Ignored,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let mut this = Self {
            failure_ratio: Some(Ratio::percent(50)),
            min_calls: 20,
            bucket_width: Duration::ZERO,
            consecutive_failures: None,
            slow_call_threshold: None,
            open_duration: Duration::from_secs(2),
            max_open_duration: Duration::from_secs(5),
            max_retry_after: Duration::from_secs(30),
            half_open_probes: NonZeroU32::MIN.saturating_add(4),
            probe_timeout: Duration::from_secs(30),
            count_origin_errors: false,
            failure_predicate: FailurePredicate::default(),
            open_behavior: OpenBehavior::Reject,
            dry_run: false,
        };
        this.set_window(Duration::from_secs(10));
        this
    }
}

/// Returns whether a failure shows that the upstream as a whole is unhealthy.
fn is_upstream_failure(failure: &Failure, count_origin_errors: bool) -> bool {
    if is_local_response(failure) {
        return false;
    }
    match failure.status().map(|status| status.as_u16()) {
        Some(502..=504 | 520..=530) => true,
        // One broken route must not make the other routes of its host unavailable. A 500 of unknown
        // source may come from such a route.
        Some(500..) => {
            count_origin_errors || !matches!(failure.cause(), Cause::OriginError | Cause::Unknown)
        }
        // A gateway responds with it when the origin is slow.
        Some(408) => failure.cause() == Cause::HttpResponseTimeout,
        Some(400..) => false,
        // gRPC reports failures with a status of 200.
        Some(_) | None if failure.cause() == Cause::OriginError => count_origin_errors,
        Some(_) | None => is_upstream_to_blame(failure),
    }
}

/// Returns whether a layer of this process generated the response, for a reason that is not the
/// upstream's, such as a limit.
fn is_local_response(failure: &Failure) -> bool {
    failure.reporter() == Reporter::Local && !is_upstream_to_blame(failure)
}

fn is_upstream_to_blame(failure: &Failure) -> bool {
    matches!(failure.blame(), Blame::Upstream | Blame::Network)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn count_as(cause: Cause, status: Option<u16>, settings: &Settings) -> CountAs {
        let failure = Failure::new(cause);
        settings.count_as(&match status {
            Some(status) => failure.with_status(StatusCode::from_u16(status).unwrap()),
            None => failure,
        })
    }

    #[test]
    fn settings_count_only_failures_of_whole_upstream_by_default() {
        use CountAs::{Failure, Ignored, Success};

        let settings = Settings::default();
        for (cause, status, expected) in [
            (Cause::ConnectionRefused, None, Failure),
            (Cause::DnsError, None, Failure),
            (Cause::HttpResponseTimeout, None, Failure),
            (Cause::TlsCertificateError, None, Failure),
            (Cause::Unknown, None, Failure),
            (Cause::BadGateway, Some(502), Failure),
            (Cause::Overloaded, Some(503), Failure),
            (Cause::GatewayTimeout, Some(504), Failure),
            (Cause::OriginError, Some(502), Failure),
            (Cause::OriginError, Some(503), Failure),
            (Cause::OriginError, Some(504), Failure),
            (Cause::OriginError, Some(520), Failure),
            (Cause::OriginError, Some(530), Failure),
            (Cause::OriginError, Some(500), Success),
            (Cause::Unknown, Some(500), Success),
            (Cause::OriginError, Some(501), Success),
            (Cause::OriginError, Some(505), Success),
            (Cause::OriginError, Some(519), Success),
            // A 500 that a gateway generated.
            (Cause::ProxyInternalError, Some(500), Failure),
            (Cause::RateLimited, Some(429), Success),
            (Cause::ClientError, Some(404), Success),
            (Cause::RequestTimeout, Some(408), Success),
            // gRPC.
            (Cause::DestinationUnavailable, Some(200), Failure),
            (Cause::ClientError, Some(200), Success),
            (Cause::OriginError, Some(200), Success),
            (Cause::CircuitOpen, None, Ignored),
            (Cause::ConnectionLimitReached, None, Ignored),
            (Cause::Cancelled, None, Ignored),
            (Cause::HttpRequestError, None, Ignored),
        ] {
            assert_eq!(count_as(cause, status, &settings), expected, "{cause} {status:?}");
        }
    }

    #[test]
    fn settings_do_not_count_request_errors_and_rejections() {
        for cause in [
            Cause::DestinationNotFound,
            Cause::DestinationIpProhibited,
            Cause::HttpRequestDenied,
            Cause::ProxyInternalError,
            Cause::ProxyConfigurationError,
            Cause::ProxyLoopDetected,
            Cause::RateLimited,
            Cause::RequestTimeout,
            Cause::Conflict,
        ] {
            let settings = Settings::default();
            assert_eq!(count_as(cause, None, &settings), CountAs::Ignored, "{cause}");
            assert_eq!(count_as(cause, Some(200), &settings), CountAs::Success, "{cause}");
        }
    }

    #[test]
    fn failure_predicate_overrides_count_origin_errors() {
        let settings = Settings { count_origin_errors: true, ..Settings::default() };
        assert_eq!(count_as(Cause::OriginError, Some(500), &settings), CountAs::Failure);
        assert_eq!(count_as(Cause::OriginError, Some(200), &settings), CountAs::Failure);
        assert_eq!(count_as(Cause::ClientError, Some(404), &settings), CountAs::Success);
        let failure_predicate =
            FailurePredicate(Some(Arc::new(|failure| failure.cause() == Cause::ClientError)));
        let settings = Settings { failure_predicate, ..settings };
        assert_eq!(count_as(Cause::ClientError, Some(404), &settings), CountAs::Failure);
        assert_eq!(count_as(Cause::BadGateway, Some(502), &settings), CountAs::Success);
        assert_eq!(count_as(Cause::ConnectionRefused, None, &settings), CountAs::Ignored);
    }
}
