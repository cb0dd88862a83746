//! The active configuration. Each call reads it, and a handle replaces it as a whole.

use std::{collections::HashMap, fmt, sync::Arc};

use arc_swap::ArcSwap;
use http::Uri;

use super::{Config, policy::Policy};
use crate::{circuit_breaker::Circuits, retry::HttpCallAdapter, standard::StandardLayer};

/// The state shared by a layer, its services and its handles.
pub(super) struct SharedConfig<L> {
    /// The stack without the settings of a policy.
    base: L,
    /// Read without a lock. A call clones the stack of its route, so it keeps that policy.
    active: ArcSwap<ActiveConfig<L>>,
}

/// A configuration, and the stack that was built for each of its policies.
#[derive(Debug)]
pub(super) struct ActiveConfig<L> {
    config: Config,
    /// The stack of the default policy.
    default: L,
    /// The stacks of the routes, in the order of `config.routes`.
    routes: Vec<L>,
}

impl<L> ActiveConfig<L> {
    /// Returns the stack for requests to `uri`.
    pub(super) fn stack_for(&self, uri: &Uri) -> &L {
        self.config
            .routes
            .find(uri)
            .and_then(|index| self.routes.get(index))
            .unwrap_or(&self.default)
    }
}

impl<L> SharedConfig<L> {
    pub(super) fn load(&self) -> impl std::ops::Deref<Target = Arc<ActiveConfig<L>>> {
        self.active.load()
    }
}

type StackLayer<C, F, Side> = StandardLayer<C, HttpCallAdapter<F>, Side>;

impl<C, F, Side> SharedConfig<StackLayer<C, F, Side>>
where
    C: Clone,
    F: Clone,
    Side: Clone,
{
    pub(super) fn new(base: StackLayer<C, F, Side>, config: Config) -> Self {
        let active = ArcSwap::from_pointee(build_active(&base, config, None));
        Self { base, active }
    }
}

/// Builds the stacks of `config`. Keeps the state that belongs to unchanged settings of `previous`.
fn build_active<C, F, Side>(
    base: &StackLayer<C, F, Side>,
    config: Config,
    previous: Option<&ActiveConfig<StackLayer<C, F, Side>>>,
) -> ActiveConfig<StackLayer<C, F, Side>>
where
    C: Clone,
    F: Clone,
    Side: Clone,
{
    let previous_routes: HashMap<_, _> = previous
        .into_iter()
        .flat_map(|previous| previous.config.routes.iter().zip(&previous.routes))
        .map(|((prefix, policy), stack)| (prefix, (policy, stack)))
        .collect();
    let previous_default = previous.map(|previous| (&previous.config.default, &previous.default));
    let default = base.with_policy(&config.default, previous_default);
    let routes = config
        .routes
        .iter()
        .map(|(prefix, policy)| base.with_policy(policy, previous_routes.get(prefix).copied()))
        .collect();
    ActiveConfig { config, default, routes }
}

/// A [`SharedConfig`] without its type parameter, for [`Handle`](super::Handle).
pub(super) trait Reload: Send + Sync {
    fn replace(&self, config: &Config);
    fn config(&self) -> Config;
    fn circuits(&self) -> Vec<(Option<String>, Circuits)>;
}

impl<C, F, Side> Reload for SharedConfig<StackLayer<C, F, Side>>
where
    C: Clone + Send + Sync,
    F: Clone + Send + Sync,
    Side: Clone + Send + Sync,
{
    fn replace(&self, config: &Config) {
        // `rcu` builds the stacks again if another thread has replaced the configuration meanwhile.
        // The state to keep is then in the stacks of that thread.
        let previous =
            self.active.rcu(|previous| build_active(&self.base, config.clone(), Some(previous)));
        log_replacement(&previous.config, config);
    }

    fn config(&self) -> Config {
        self.active.load().config.clone()
    }

    fn circuits(&self) -> Vec<(Option<String>, Circuits)> {
        let active = self.active.load();
        let routes = active.config.prefixes().map(Some).zip(&active.routes);
        let stacks = std::iter::once((None, &active.default)).chain(routes);
        stacks.map(|(prefix, stack)| (prefix, stack.circuits())).collect()
    }
}

fn log_replacement(old: &Config, new: &Config) {
    let policies = |config: &Config| -> HashMap<String, Policy> {
        config.routes.iter().map(|(prefix, policy)| (prefix.to_string(), policy.clone())).collect()
    };
    let (old_routes, new_routes) = (policies(old), policies(new));
    let kept =
        new_routes.iter().filter_map(|(prefix, policy)| Some((old_routes.get(prefix)?, policy)));
    let unchanged = kept.clone().filter(|(old, new)| old == new).count();
    let kept = kept.count();
    tracing::info!(
        name: "config",
        added = new_routes.len() - kept,
        removed = old_routes.len() - kept,
        changed = kept - unchanged,
        unchanged,
        default_changed = old.default != new.default,
        "configuration replaced",
    );
}

impl<L: fmt::Debug> fmt::Debug for SharedConfig<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let active = self.active.load();
        let routes = active.config.prefixes().zip(&active.routes);
        f.debug_struct("SharedConfig")
            .field("default", &active.default)
            .field("routes", &routes.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
