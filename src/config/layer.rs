use std::{fmt, sync::Arc};

use tower_layer::Layer;

use super::{Config, Configured, Handle, active::Shared};
use crate::{retry::HttpCallAdapter, standard::StandardLayer};

/// Applies [`Configured`], the stack of [`StandardLayer`] with a policy for each request's URL.
///
/// See the [module docs](super) for an example.
///
/// # Clone
///
/// Clones, and the services they make, share the active configuration. They also share each
/// policy's budgets, circuits and in-flight counts. A budget that the program set is shared by all
/// policies without their own.
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ConfiguredLayer<L = StandardLayer> {
    shared: Arc<Shared<L>>,
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
        Self { shared: Arc::new(Shared::new(base, config)) }
    }

    /// Returns a handle that replaces the configuration while services run.
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
