use std::{fmt, sync::Arc};

use tower_layer::Layer;

use super::{Config, Configured, Handle, active::SharedConfig};
use crate::{retry::HttpCallAdapter, standard::StandardLayer};

/// A layer that applies [`Configured`], the stack of [`StandardLayer`] with a policy for each URL.
///
/// See the [module docs](super) for an example.
///
/// # Clone
///
/// The services and clones of a layer share the active configuration. They also share each policy's
/// budgets, circuits and in-flight counts. All policies without a budget of their own share a
/// budget that the program set.
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ConfiguredLayer<L = StandardLayer> {
    config: Arc<SharedConfig<L>>,
}

impl<C, F, Side> ConfiguredLayer<StandardLayer<C, HttpCallAdapter<F>, Side>>
where
    C: Clone,
    F: Clone,
    Side: Clone,
{
    /// Creates a layer that applies the policies of `config` to the stack `base`.
    ///
    /// Settings absent from `config` keep the values of `base`. So do settings that exist only in
    /// code, such as closures, the classifier and the key function.
    pub fn new(base: StandardLayer<C, HttpCallAdapter<F>, Side>, config: Config) -> Self {
        Self { config: Arc::new(SharedConfig::new(base, config)) }
    }

    /// Returns a handle that replaces the configuration while services run.
    #[must_use]
    pub fn handle(&self) -> Handle
    where
        C: Send + Sync + 'static,
        F: Send + Sync + 'static,
        Side: Send + Sync + 'static,
    {
        Handle::new(Arc::<SharedConfig<_>>::clone(&self.config))
    }
}

impl<L> Clone for ConfiguredLayer<L> {
    fn clone(&self) -> Self {
        Self { config: Arc::clone(&self.config) }
    }
}

impl<L: fmt::Debug> fmt::Debug for ConfiguredLayer<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConfiguredLayer").field(&self.config).finish()
    }
}

impl<S: Clone, L> Layer<S> for ConfiguredLayer<L> {
    type Service = Configured<S, L>;

    fn layer(&self, client: S) -> Self::Service {
        Configured::new(client, Arc::clone(&self.config))
    }
}
