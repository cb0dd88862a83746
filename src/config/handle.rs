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
    shared: Arc<dyn Reload>,
}

impl Handle {
    pub(super) fn new(shared: Arc<impl Reload + 'static>) -> Self {
        Self { shared }
    }

    /// Replaces the whole configuration for new calls. Calls in flight keep their policy, including
    /// for their retries.
    ///
    /// A route is identified by its prefix. It keeps its circuits if its circuit breaker settings
    /// are unchanged, its budgets if its budget settings are, and its counts if its in-flight limit
    /// is. Other changes do not matter. The state of a removed route is dropped.
    ///
    /// Emits an event at INFO with the numbers of added, removed, changed and unchanged routes.
    pub fn replace(&self, config: &Config) {
        self.shared.replace(config);
    }

    /// Returns the active configuration.
    #[must_use]
    pub fn config(&self) -> Config {
        self.shared.config()
    }

    /// Returns the circuits of the default policy, as `None`, and of each route by its prefix, in
    /// file order.
    ///
    /// Call it again after [`replace`](Self::replace), which may create new circuits.
    #[must_use]
    pub fn circuits(&self) -> Vec<(Option<String>, Circuits)> {
        self.shared.circuits()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
