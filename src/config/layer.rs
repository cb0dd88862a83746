use std::{fmt, sync::Arc};

use tower_layer::Layer;

use super::{Config, Configured, Handle, active::Shared};
use crate::{keys::UriKey, retry::HttpCallAdapter, standard::StandardLayer};

/// Applies [`Configured`]: the stack of [`StandardLayer`], under the policy of each request's URL. See the
/// [module docs](super).
///
/// # Clone
///
/// Budgets, circuits and counts are made with the layer, each policy's own, and shared by its clones and all the services they
/// make; so is the configuration in force. A budget that the program chose is one for all policies that do not have their own.
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ConfiguredLayer<L = StandardLayer> {
    shared: Arc<Shared<L>>,
}

impl<C, F, K, Side> ConfiguredLayer<StandardLayer<C, HttpCallAdapter<F>, K, Side>>
where
    C: Clone,
    F: Clone,
    K: UriKey + Send + Sync + 'static,
    Side: Clone,
{
    /// The stack `base` under the policies of `config`. What `config` does not say, is as `base` has it; and so is what a
    /// file cannot say, such as closures, the classifier and how keys are made.
    pub fn new(base: StandardLayer<C, HttpCallAdapter<F>, K, Side>, config: Config) -> Self {
        Self { shared: Arc::new(Shared::new(base, config)) }
    }

    /// What replaces the configuration while services run.
    #[must_use]
    pub fn handle(&self) -> Handle
    where
        C: Send + Sync + 'static,
        F: Send + Sync + 'static,
        Side: Send + Sync + 'static,
    {
        Handle::new(Arc::<Shared<_>>::clone(&self.shared))
    }
}

impl<L> Clone for ConfiguredLayer<L> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<L: fmt::Debug> fmt::Debug for ConfiguredLayer<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConfiguredLayer").field(&self.shared).finish()
    }
}

impl<S: Clone, L> Layer<S> for ConfiguredLayer<L> {
    type Service = Configured<S, L>;

    fn layer(&self, client: S) -> Self::Service {
        Configured::new(client, Arc::clone(&self.shared))
    }
}
