//! The services of the configuration file, which a reload replaces.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll},
};

use axum::{Router, body::Body, http::StatusCode};
use http::{Request, Response};

use super::{
    auth::AuthLayer,
    config::{Config, PolicyConfig, RateLimitConfig, ServiceConfig},
    config_error::ConfigError,
    rate_limit::ClientRateLimiter,
    service::RunningService,
};
use crate::{
    client::{self, Clients, ConnectionConfig},
    dashboard::Dashboard,
    policies::Policies,
    routing,
    upstream::Upstream,
};

/// Routes each request by the active configuration.
///
/// # Clone
///
/// Clones share the active configuration.
#[derive(Clone)]
pub(crate) struct ReloadableRouter {
    path: PathBuf,
    listen: SocketAddr,
    dashboard: Dashboard,
    active: Arc<RwLock<ActiveConfig>>,
}

#[derive(Clone)]
struct ActiveConfig {
    router: Router,
    policy: PolicyConfig,
    connections: ConnectionConfig,
    clients: Clients,
    services: Arc<[(ServiceConfig, RunningService)]>,
    rate_limiter: Option<(RateLimitConfig, Arc<ClientRateLimiter>)>,
    policies: Policies,
}

impl ReloadableRouter {
    /// Starts the services of a loaded configuration.
    pub(crate) fn start(
        path: PathBuf,
        listen: SocketAddr,
        config: Config,
        dashboard: Dashboard,
    ) -> Result<Self, ConfigError> {
        let active = ActiveConfig::build(config, None)?;
        dashboard.set_upstreams(&active.upstreams());
        let active = Arc::new(RwLock::new(active));
        Ok(Self { path, listen, dashboard, active })
    }

    /// Loads the file again and applies it to new requests.
    ///
    /// Unchanged services keep their circuits, budgets and counts. An unchanged rate limit keeps
    /// its clients.
    ///
    /// # Errors
    /// Returns the error of the file. The active configuration then stays in force.
    pub(crate) fn reload(&self) -> Result<(), ConfigError> {
        let config = Config::load(&self.path, self.listen)?;
        let old = self.active();
        let active = ActiveConfig::build(config, Some(&old))?;
        self.dashboard.set_upstreams(&active.upstreams());
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = active;
        Ok(())
    }

    pub(crate) fn path(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// Returns a line with the paths of all services.
    pub(crate) fn index_text(&self) -> String {
        self.active().index_text()
    }

    fn active(&self) -> ActiveConfig {
        self.active.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ActiveConfig {
    fn build(config: Config, old: Option<&Self>) -> Result<Self, ConfigError> {
        let rate_limiter = config.limit.clone().map(|limit| {
            old.and_then(|old| old.rate_limiter.clone())
                .filter(|(old, _)| *old == limit)
                .unwrap_or_else(|| (limit.clone(), Arc::new(ClientRateLimiter::new(&limit))))
        });
        let auth =
            AuthLayer::new(&config, rate_limiter.as_ref().map(|(_, limiter)| Arc::clone(limiter)));
        let Config { policy, policies: new_policies, connections, services, .. } = config;
        let policies =
            old.map_or_else(|| Policies::new(new_policies.clone()), |old| old.policies.clone());
        let old = old.filter(|old| old.connections == connections);
        let clients = match old {
            Some(old) => old.clients.clone(),
            None => client::build(&connections)
                .map_err(|error| ConfigError(format!("[connections]: {error}")))?,
        };
        let old = old.filter(|old| old.policy == policy);
        let services: Arc<[_]> = services
            .into_iter()
            .map(|config| {
                let is_unchanged = |(old, _): &&(ServiceConfig, RunningService)| *old == config;
                let service = match old.and_then(|old| old.services.iter().find(is_unchanged)) {
                    Some((_, service)) => service.clone(),
                    None => RunningService::start(&config, &policy, &policies, &clients)?,
                };
                Ok((config, service))
            })
            .collect::<Result<_, ConfigError>>()?;
        let mut active = Self {
            router: Router::new(),
            policy,
            connections,
            clients,
            services,
            rate_limiter,
            policies,
        };
        let not_found = format!("No such service. {}", active.index_text());
        let routes = active
            .services
            .iter()
            .fold(Router::new(), |router, (_, service)| router.merge(service.routes(&auth)))
            .fallback(async move || (StatusCode::NOT_FOUND, not_found));
        active.router = routing::with_observability(routes);
        // Comes last, because an error above must leave the active policies unchanged.
        active.policies.replace(&new_policies);
        Ok(active)
    }

    fn upstreams(&self) -> Vec<Upstream> {
        self.services.iter().flat_map(|(_, service)| service.upstreams.clone()).collect()
    }

    fn index_text(&self) -> String {
        let names = self.services.iter().map(|(config, _)| format!("/{}", config.name.as_ref().0));
        format!("Services: {}.\n", names.collect::<Vec<_>>().join(", "))
    }
}

impl tower::Service<Request<Body>> for ReloadableRouter {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <Router as tower::Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    // Calls the router without `poll_ready`, because it is always ready.
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.active().router.call(request)
    }
}
