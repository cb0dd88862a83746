//! The log and the count of requests that the policy of the dashboard refuses.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{Method, StatusCode};
use metrics::counter;
use tokio::time::Instant;

use crate::{log::LineLimit, metrics::ADMIN_REFUSALS};

/// The minimum time between two lines, so that guesses do not fill the log.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The refusals that the log does not have yet.
///
/// # Clone
///
/// Clones share the state.
#[derive(Clone, Debug, Default)]
pub(super) struct RefusalLog(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    limit: LineLimit,
    unlogged: u64,
}

impl Default for State {
    fn default() -> Self {
        Self { limit: LineLimit::new(LINE_INTERVAL), unlogged: 0 }
    }
}

impl RefusalLog {
    /// Counts a refusal, and logs it if the last line is old enough. `route` is a path of the
    /// gateway, not that of the request.
    pub(super) fn record(
        &self,
        status: StatusCode,
        method: &Method,
        route: &str,
        client: Option<IpAddr>,
        detail: &str,
    ) {
        counter!(ADMIN_REFUSALS, "status" => status.as_str().to_owned()).increment(1);
        let Some(unlogged) = self.count(Instant::now()) else { return };
        let method = if method.is_safe() { "GET" } else { "POST" };
        let client = client.map(tracing::field::display);
        tracing::warn!(
            client.address = client,
            http.response.status_code = status.as_u16(),
            url.path = route,
            unlogged,
            "refused {method} {route} with {}: {detail}",
            status.as_str(),
        );
    }

    /// Returns the number of refusals since the last line if another line is due.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.limit.is_due(now) {
            return Some(std::mem::take(&mut state.unlogged));
        }
        state.unlogged += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_one_line_in_ten_seconds() {
        let (log, start) = (RefusalLog::default(), Instant::now());
        assert_eq!(log.count(start), Some(0));
        for second in 0..9 {
            assert_eq!(log.count(start + Duration::from_secs(second)), None);
        }
        assert_eq!(log.count(start + LINE_INTERVAL), Some(9));
    }
}
