//! The routes of all services, which a reload replaces.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};

use super::{
    reload::{ConfigStatus, ReloadReport},
    resources::Resources,
    routes::Routes,
    service::RunningService,
    status::ServiceStatus,
};
use crate::{
    access::{AdminAccess, ClientRateLimiter, RateLimitConfig, ServiceAccess},
    config::{Config, ConfigError, Policy, ServiceConfig},
    dashboard::Dashboard,
    metrics,
    routing::{self, Observed, ObservedBody},
    server::{ActiveSettings, Settings},
    upstream::Upstream,
};

/// Routes each request by the active configuration.
///
/// # Clone
///
/// Clones share the active configuration.
#[derive(Clone)]
pub(crate) struct ReloadableRouter(Arc<Shared>);

struct Shared {
    dashboard: Dashboard,
    server: ActiveSettings,
    admin: AdminAccess,
    active: RwLock<ActiveConfig>,
    status: Mutex<ConfigStatus>,
}

/// The file of a configuration, from which it can be reloaded.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    /// The address that the gateway listens on.
    pub(crate) listen: SocketAddr,
}

impl ConfigFile {
    pub(crate) fn load(&self) -> Result<Config, ConfigError> {
        Config::load(&self.path, self.listen)
    }
}

#[derive(Clone)]
struct ActiveConfig {
    config: Arc<Config>,
    routes: Routes,
    /// The routes with their log and metrics.
    observed: Observed<Routes>,
    resources: Resources,
    services: Arc<[ActiveService]>,
    rate_limiter: Option<(RateLimitConfig, Arc<ClientRateLimiter>)>,
}

#[derive(Clone)]
pub(super) struct ActiveService {
    pub(super) config: ServiceConfig,
    policy: Policy,
    running: RunningService,
}

impl ReloadableRouter {
    /// Starts the services of a configuration.
    pub(crate) fn start(config: &Config, dashboard: Dashboard) -> Result<Self, ConfigError> {
        let server = ActiveSettings::new(load_server(config)?);
        let admin = AdminAccess::new(config.admin.as_ref());
        let active = ActiveConfig::build(config, None, &admin)?;
        dashboard.set_upstreams(&active.upstreams());
        let active = RwLock::new(active);
        let status = Mutex::new(ConfigStatus::new());
        Ok(Self(Arc::new(Shared { dashboard, server, admin, active, status })))
    }

    /// Loads the file and the certificate again and applies them to new requests.
    ///
    /// Unchanged services keep their circuits, budgets and counts. An unchanged rate limit keeps
    /// its clients.
    ///
    /// # Errors
    /// Returns the error of the file. The active configuration then stays in force.
    pub(crate) fn reload(&self, file: &ConfigFile) -> Result<ReloadReport, ConfigError> {
        let result = self.try_reload(file);
        metrics::record_reload(result.is_ok());
        let mut status = self.lock_status();
        match &result {
            Ok(_) => status.on_success(),
            Err(error) => status.on_error(error.to_string()),
        }
        result
    }

    fn try_reload(&self, file: &ConfigFile) -> Result<ReloadReport, ConfigError> {
        let config = file.load()?;
        let server = load_server(&config)?;
        let old = self.active();
        let active = ActiveConfig::build(&config, Some(&old), &self.0.admin)?;
        let report =
            ReloadReport::new((&old.config, &old.services), (&active.config, &active.services));
        self.0.admin.replace(config.admin.as_ref());
        self.0.dashboard.set_upstreams(&active.upstreams());
        self.0.server.replace(server);
        *self.0.active.write().unwrap_or_else(PoisonError::into_inner) = active;
        Ok(report)
    }

    /// Returns the settings of the server, which a reload replaces.
    pub(crate) fn server_settings(&self) -> ActiveSettings {
        self.0.server.clone()
    }

    /// Returns the access to the dashboard, the metrics and the controls.
    pub(crate) fn admin(&self) -> AdminAccess {
        self.0.admin.clone()
    }

    /// Returns a line with the paths of all services.
    pub(crate) fn index_text(&self) -> String {
        index_text(&self.active().services)
    }

    /// Returns the state of the configuration.
    pub(crate) fn config_status(&self) -> ConfigStatus {
        self.lock_status().clone()
    }

    /// Returns the state of all services, in the order of the configuration.
    pub(crate) fn service_statuses(&self) -> Vec<ServiceStatus> {
        self.active().services.iter().map(|service| service.running.status()).collect()
    }

    fn lock_status(&self) -> MutexGuard<'_, ConfigStatus> {
        self.0.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the upstreams of all services, in the order of the configuration.
    pub(crate) fn upstreams(&self) -> Vec<Upstream> {
        self.active().upstreams()
    }

    /// Returns the services, if the path belongs to one of them.
    pub(crate) fn services_for(&self, path: &str) -> Option<Observed<Routes>> {
        let active = self.read_active();
        active.routes.has(path).then(|| active.observed.clone())
    }

    fn active(&self) -> ActiveConfig {
        self.read_active().clone()
    }

    fn read_active(&self) -> RwLockReadGuard<'_, ActiveConfig> {
        self.0.active.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Loads the certificate that the configuration names.
fn load_server(config: &Config) -> Result<Settings, ConfigError> {
    Settings::load(config.server.clone())
        .map_err(|error| config.error_at(error.span, error.key, &error.message))
}

impl ActiveConfig {
    fn build(
        config: &Config,
        old: Option<&Self>,
        admin: &AdminAccess,
    ) -> Result<Self, ConfigError> {
        let rate_limiter = config.limit.clone().map(|limit| {
            old.and_then(|old| old.rate_limiter.clone())
                .filter(|(old, _)| *old == limit)
                .unwrap_or_else(|| (limit.clone(), Arc::new(ClientRateLimiter::new(&limit))))
        });
        let limiter = rate_limiter.as_ref().map(|(_, limiter)| Arc::clone(limiter));
        let access = ServiceAccess::new(&config.access(), limiter, admin.failed_tokens());
        let forwarding = Arc::new(config.forwarding.clone());
        let resources = Resources::build(&config.connections, old.map(|old| &old.resources))
            .map_err(|error| config.error(&format!("[connections]: {error}")))?;
        let old = old.filter(|old| resources.has_connections_of(&old.resources));
        let old_services = old.map_or(&[][..], |old| &old.services);
        let services = config.services.iter().map(|service| {
            let policy = config.policy_of(service).map_err(|error| config.error(error))?;
            ActiveService::start_or_keep(service, policy, old_services, &resources)
                .map_err(|error| config.error(&error))
        });
        let services = services.collect::<Result<Arc<[_]>, ConfigError>>()?;
        let not_found = format!("No such service. {}", index_text(&services));
        let served = services.iter().map(|service| {
            (service.config.name().to_owned(), service.running.served(&access, &forwarding))
        });
        let routes = Routes::new(served, not_found);
        let observed = routing::with_observability(routes.clone(), forwarding);
        let config = Arc::new(config.clone());
        Ok(Self { config, routes, observed, resources, services, rate_limiter })
    }

    fn upstreams(&self) -> Vec<Upstream> {
        self.services.iter().flat_map(|service| service.running.upstreams.clone()).collect()
    }
}

fn index_text(services: &[ActiveService]) -> String {
    let names = services.iter().map(|service| format!("/{}", service.config.name()));
    format!("Services: {}.\n", names.collect::<Vec<_>>().join(", "))
}

impl ActiveService {
    /// Returns whether this is the other service, not one that replaces it.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.running.is_same_as(&other.running)
    }

    /// Returns the old service if neither its configuration nor its policy has changed.
    fn start_or_keep(
        config: &ServiceConfig,
        policy: Policy,
        old: &[Self],
        resources: &Resources,
    ) -> Result<Self, String> {
        if let Some(old) = old.iter().find(|old| old.config == *config && old.policy == policy) {
            return Ok(old.clone());
        }
        let running = RunningService::start(config, &policy, resources)
            .map_err(|error| format!("service `{}`: {error}", config.name()))?;
        Ok(Self { config: config.clone(), policy, running })
    }
}

impl tower::Service<Request<Body>> for ReloadableRouter {
    type Response = Response<ObservedBody>;
    type Error = Infallible;
    type Future = <Observed<Routes> as tower::Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    // Calls the services without `poll_ready`, because they are always ready.
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut services = self.read_active().observed.clone();
        services.call(request)
    }
}
