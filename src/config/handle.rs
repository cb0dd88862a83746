use std::{fmt, sync::Arc};

use super::{Config, active::Reload};
use crate::circuit_breaker::Circuits;

/// A handle that reads and replaces the active configuration of a
/// [`ConfiguredLayer`](super::ConfiguredLayer).
///
/// Clones refer to the same configuration. All methods are synchronous and can be called from any
/// thread.
#[derive(Clone)]
pub struct Handle {
    config: Arc<dyn Reload>,
}

impl Handle {
    pub(super) fn new(config: Arc<impl Reload + 'static>) -> Self {
        Self { config }
    }

    /// Replaces the whole configuration for new calls. Calls in flight keep their policy, including
    /// for their retries.
    ///
    /// The prefix identifies a route. A route keeps its circuits if its circuit breaker settings
    /// are unchanged. The same applies to its budgets and its in-flight counts. The state of a
    /// removed route is dropped.
    ///
    /// Emits an event at INFO with the numbers of added, removed, changed and unchanged routes.
    pub fn replace(&self, config: &Config) {
        self.config.replace(config);
    }

    /// Returns the active configuration.
    #[must_use]
    pub fn config(&self) -> Config {
        self.config.config()
    }

    /// Returns the circuits of each policy. The prefix is `None` for the default policy, which
    /// comes first. The routes follow in file order.
    ///
    /// Call it again after [`replace`](Self::replace), which may create new circuits.
    #[must_use]
    pub fn circuits(&self) -> Vec<(Option<String>, Circuits)> {
        self.config.circuits()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
