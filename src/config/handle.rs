use std::{fmt, sync::Arc};

use super::{Config, active::Reload};
use crate::circuit_breaker::Circuits;

/// The configuration in force of a [`ConfiguredLayer`](super::ConfiguredLayer), to be looked at and to be replaced. Clones are
/// the same one.
///
/// All of it is synchronous, and can be called from anywhere.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<dyn Reload>,
}

impl Handle {
    pub(super) fn new(shared: Arc<impl Reload + 'static>) -> Self {
        Self { shared }
    }

    /// Puts `config` in force, as a whole, for calls that begin afterwards; those under way end under the policy they began
    /// under, their retries too.
    ///
    /// A route is known by its prefix. If its settings of the circuit breaker are the same as before, its circuits stay as they
    /// are; if those of the budget are, its budgets; if the in-flight limit is, its counts. What else changed does not
    /// matter. A route that is gone takes its history with it.
    ///
    /// Says so by an event at INFO, with numbers of routes.
    pub fn replace(&self, config: &Config) {
        self.shared.replace(config);
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Config {
        self.shared.config()
    }

    /// The circuits of each route, by its prefix, in the order of the file; before them those of the default policy, by `None`.
    /// They are those in force at this moment: after [`replace`](Self::replace), ask again.
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
