//! The file as it is now, and read again.

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
    config::{self, Config},
    door::DoorLayer,
    fault::Fault,
    limit::Limiter,
    service::Service,
};
use crate::{
    live::Live,
    policies::Policies,
    proxy::{self, Hyper},
};

/// What is served by the file that was read last. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Current {
    path: PathBuf,
    listen: SocketAddr,
    client: Hyper,
    live: Live,
    now: Arc<RwLock<Served>>,
}

#[derive(Clone)]
struct Served {
    router: Router,
    policy: config::Policy,
    /// Each with what it was made from.
    services: Arc<[(config::Service, Service)]>,
    limiter: Option<(config::Limit, Arc<Limiter>)>,
    policies: Policies,
}

impl Current {
    /// Serves what the file says, which has been read already.
    pub(crate) fn start(
        path: PathBuf,
        listen: SocketAddr,
        config: Config,
        live: Live,
    ) -> Result<Self, Fault> {
        let client = proxy::client();
        let served = Served::of(config, None, &client)?;
        live.show(&served.upstreams());
        let now = Arc::new(RwLock::new(served));
        Ok(Self { path, listen, client, live, now })
    }

    /// Reads the file again. What it says holds for requests that begin from now on. A service that it says the same of
    /// stays as it is, with its circuits, budget and counts, and so does the limit of clients. A file with a fault
    /// changes nothing.
    pub(crate) fn read_again(&self) -> Result<(), Fault> {
        let config = Config::read(&self.path, self.listen)?;
        let old = self.served();
        let served = Served::of(config, Some(&old), &self.client)?;
        self.live.show(&served.upstreams());
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = served;
        Ok(())
    }

    pub(crate) fn path(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// What there is, for a person.
    pub(crate) fn line(&self) -> String {
        self.served().line()
    }

    fn served(&self) -> Served {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Served {
    fn of(config: Config, old: Option<&Self>, client: &Hyper) -> Result<Self, Fault> {
        let limiter = config.limit.clone().map(|limit| {
            let kept = old.and_then(|old| old.limiter.clone()).filter(|(kept, _)| *kept == limit);
            kept.unwrap_or_else(|| (limit.clone(), Arc::new(Limiter::new(&limit))))
        });
        let door =
            DoorLayer::new(&config, limiter.as_ref().map(|(_, limiter)| Arc::clone(limiter)));
        let Config { policy, policies: wanted, services, .. } = config;
        let kept = old.map(|old| old.policies.clone());
        let policies = kept.unwrap_or_else(|| Policies::new(wanted.clone()));
        let old = old.filter(|old| old.policy == policy);
        let services: Arc<[_]> = services
            .into_iter()
            .map(|config| {
                let same = |(other, _): &&(config::Service, Service)| *other == config;
                let kept = old.and_then(|old| old.services.iter().find(same));
                let service = match kept {
                    Some((_, service)) => service.clone(),
                    None => Service::start(&config, &policy, &policies, client)
                        .map_err(|error| Fault(format!("cannot run an upstream: {error}")))?,
                };
                Ok((config, service))
            })
            .collect::<Result<_, Fault>>()?;
        let mut served = Self { router: Router::new(), policy, services, limiter, policies };
        let nothing = format!("No such service. {}", served.line());
        let router = served
            .services
            .iter()
            .fold(Router::new(), |router, (_, service)| router.merge(service.routes(&door)))
            .fallback(async move || (StatusCode::NOT_FOUND, nothing));
        served.router = proxy::observed(router);
        // Last, since what is above may fail, and nothing has changed then.
        served.policies.replace(&wanted);
        Ok(served)
    }

    fn upstreams(&self) -> Vec<proxy::Upstream> {
        self.services.iter().flat_map(|(_, service)| service.upstreams.clone()).collect()
    }

    fn line(&self) -> String {
        let names = self.services.iter().map(|(config, _)| format!("/{}", config.name.as_ref().0));
        format!("There is {}.\n", names.collect::<Vec<_>>().join(", "))
    }
}

impl tower::Service<Request<Body>> for Current {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <Router as tower::Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    // A router is always ready.
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.served().router.call(request)
    }
}
