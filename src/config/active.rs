//! The policies in force, to be read by every call and replaced as a whole.

use std::{collections::HashMap, fmt, sync::Arc};

use arc_swap::ArcSwap;
use http::Uri;

use super::{Config, policy::Policy};
use crate::{
    circuit_breaker::Circuits, keys::UriKey, retry::HttpCallAdapter, standard::StandardLayer,
};

/// What a layer, its services and its handles share.
pub(super) struct Shared<L> {
    base: L,
    /// Read without a lock. A call keeps what it needs of what it read, so it ends under the policy it began under.
    live: ArcSwap<ActiveConfig<L>>,
}

/// The stack of each policy.
#[derive(Debug)]
pub(super) struct ActiveConfig<L> {
    config: Config,
    default: L,
    /// In the order of the routes.
    routes: Vec<L>,
}

impl<L> ActiveConfig<L> {
    /// The stack of requests to `uri`.
    pub(super) fn find(&self, uri: &Uri) -> &L {
        self.config
            .routes
            .find(uri)
            .and_then(|number| self.routes.get(number))
            .unwrap_or(&self.default)
    }
}

impl<L> Shared<L> {
    pub(super) fn load(&self) -> impl std::ops::Deref<Target = Arc<ActiveConfig<L>>> {
        self.live.load()
    }
}

type Stack<C, F, K, Side> = StandardLayer<C, HttpCallAdapter<F>, K, Side>;

impl<C, F, K, Side> Shared<Stack<C, F, K, Side>>
where
    C: Clone,
    F: Clone,
    K: UriKey + Send + Sync + 'static,
    Side: Clone,
{
    pub(super) fn new(base: Stack<C, F, K, Side>, config: Config) -> Self {
        let live = ArcSwap::from_pointee(live(&base, config, None));
        Self { base, live }
    }
}

/// The stacks of `config`, with what is unchanged of `before`.
fn live<C, F, K, Side>(
    base: &Stack<C, F, K, Side>,
    config: Config,
    before: Option<&ActiveConfig<Stack<C, F, K, Side>>>,
) -> ActiveConfig<Stack<C, F, K, Side>>
where
    C: Clone,
    F: Clone,
    K: UriKey + Send + Sync + 'static,
    Side: Clone,
{
    let known: HashMap<_, _> = before
        .into_iter()
        .flat_map(|before| before.config.routes.iter().zip(&before.routes))
        .map(|((prefix, policy), stack)| (prefix, (policy, stack)))
        .collect();
    let default = before.map(|before| (&before.config.default, &before.default));
    let default = base.with_policy(&config.default, default);
    let routes = config.routes.iter();
    let routes =
        routes.map(|(prefix, policy)| base.with_policy(policy, known.get(prefix).copied()));
    ActiveConfig { routes: routes.collect(), default, config }
}

/// A [`Shared`] of whatever stacks.
pub(super) trait Reload: Send + Sync {
    fn replace(&self, config: &Config);
    fn config(&self) -> Config;
    fn circuits(&self) -> Vec<(Option<String>, Circuits)>;
}

impl<C, F, K, Side> Reload for Shared<Stack<C, F, K, Side>>
where
    C: Clone + Send + Sync,
    F: Clone + Send + Sync,
    K: UriKey + Send + Sync + 'static,
    Side: Clone + Send + Sync,
{
    fn replace(&self, config: &Config) {
        // Made anew if another thread was faster, since the history to be kept is then that one's.
        let before = self.live.rcu(|before| live(&self.base, config.clone(), Some(before)));
        tell(&before.config, config);
    }

    fn config(&self) -> Config {
        self.live.load().config.clone()
    }

    fn circuits(&self) -> Vec<(Option<String>, Circuits)> {
        let live = self.live.load();
        let routes = live.config.prefixes().map(Some).zip(&live.routes);
        let all = std::iter::once((None, &live.default)).chain(routes);
        all.map(|(prefix, stack)| (prefix, stack.circuits())).collect()
    }
}

fn tell(before: &Config, now: &Config) {
    let by_prefix = |config: &Config| -> HashMap<String, Policy> {
        config.routes.iter().map(|(prefix, policy)| (prefix.to_string(), policy.clone())).collect()
    };
    let (old, new) = (by_prefix(before), by_prefix(now));
    let of_both = new.iter().filter_map(|(prefix, policy)| Some((old.get(prefix)?, policy)));
    let unchanged = of_both.clone().filter(|(old, new)| old == new).count();
    let both = of_both.count();
    tracing::info!(
        name: "config",
        added = new.len() - both,
        removed = old.len() - both,
        changed = both - unchanged,
        unchanged,
        default_changed = before.default != now.default,
        "configuration replaced",
    );
}

impl<L: fmt::Debug> fmt::Debug for Shared<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let live = self.live.load();
        let routes = live.config.prefixes().zip(&live.routes);
        f.debug_struct("Shared")
            .field("default", &live.default)
            .field("routes", &routes.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
