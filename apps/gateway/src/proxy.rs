//! The proxy itself: an axum router with a client stack for each upstream.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::MatchedPath,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::get,
};
use http::{Request, Uri, uri::PathAndQuery};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use metrics_exporter_prometheus::PrometheusHandle;
use seawall::{
    ErrorResponseLayer, LoggingLayer, RequestDurationLayer,
    circuit_breaker::{Circuit, Snapshot, State, by_authority},
    config::Handle,
    hyper_util::TrackReuse,
    logging::Level,
    retry::ReplayBody,
};
use tower::{Service, ServiceBuilder};

use crate::{
    headers,
    live::{self, Live},
    llm, metrics,
    policies::Policies,
    stats::Stats,
};

/// A server to proxy to, and how many requests were sent to it, retries included.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) url: Uri,
    pub(crate) sent: Arc<AtomicU64>,
    pub(crate) stats: Arc<Stats>,
    circuit: CircuitOf,
}

/// Who has an upstream's circuit.
#[derive(Clone, Debug)]
pub(crate) enum CircuitOf {
    Upstream(Circuit),
    Policies(Handle),
}

impl Upstream {
    pub(crate) fn new(name: String, url: Uri, circuit: CircuitOf) -> Self {
        Self { name, url, sent: Arc::default(), stats: Arc::default(), circuit }
    }

    /// Its circuit, once there is one; of several, for policies may tell paths apart, one that is not closed.
    pub(crate) fn circuit(&self) -> Option<Snapshot> {
        let policies = match &self.circuit {
            CircuitOf::Upstream(circuit) => return Some(circuit.snapshot()),
            CircuitOf::Policies(policies) => policies,
        };
        let key = by_authority(&self.url)?;
        let all = policies.circuits().into_iter().filter_map(|(_, circuits)| circuits.get(&key));
        all.map(|circuit| circuit.snapshot()).max_by_key(|one| one.state() != State::Closed)
    }
}

/// How long connecting to one address of an upstream may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How many connections that nobody uses are kept to each host, for 90 s: after a burst of thousands the rest are closed.
const IDLE_CONNECTIONS: usize = 256;

const KEEPALIVE: Duration = Duration::from_secs(60);

/// The client of all upstreams.
pub(crate) type Hyper = Client<TrackReuse<HttpsConnector<HttpConnector>>, ReplayBody<Body>>;

/// Serves `/NAME` and what is below it from each upstream, and shows at `/` what there is.
pub(crate) fn router(
    upstreams: Vec<Upstream>,
    policies: &Policies,
    live: Live,
    counted: PrometheusHandle,
) -> Router {
    let client = client();
    let names: Vec<_> = upstreams.iter().map(|upstream| format!("/{}", upstream.name)).collect();
    let there_is = format!("There is {}.\n", names.join(", "));
    let index = format!("seawall gateway. {there_is}");
    let mut router = Router::new()
        .route("/", get(async move |headers: HeaderMap| live::index(&headers, index)))
        .fallback(async move || (StatusCode::NOT_FOUND, format!("No such upstream. {there_is}")));
    for upstream in upstreams {
        let service = ServiceBuilder::new()
            .layer(ErrorResponseLayer::new(headers::NAME))
            .service(policies.stack(&upstream, &client));
        router = router.merge(routes(&upstream.name, service));
    }
    observed(router).merge(live.routes()).merge(metrics::routes(counted))
}

/// Serves what the file says, and shows at `/` what there is.
pub(crate) fn router_of_file(
    current: llm::Current,
    live: Live,
    counted: PrometheusHandle,
) -> Router {
    let told = current.clone();
    let index = async move |headers: HeaderMap| {
        live::index(&headers, format!("seawall gateway. {}", told.line()))
    };
    Router::new()
        .route("/", get(index))
        .fallback_service(current)
        .merge(live.routes())
        .merge(metrics::routes(counted))
}

/// Serves the name and what is below it.
pub(crate) fn routes<S, B>(name: &str, service: S) -> Router
where
    S: Service<Request<Body>, Response = http::Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    http::Response<B>: IntoResponse,
{
    // A wildcard takes neither the name alone nor a slash alone.
    Router::new()
        .route_service(&format!("/{name}"), service.clone())
        .route_service(&format!("/{name}/"), service.clone())
        .route_service(&format!("/{name}/{{*rest}}"), service)
}

/// Logs and measures each request.
pub(crate) fn observed(router: Router) -> Router {
    // At INFO each line is about one request, and says so itself.
    let router = router.layer(LoggingLayer::server().span_level(Level::Debug));
    router.layer(RequestDurationLayer::server().route_fn(route))
}

/// The upstream's, whatever is asked of it.
fn route(head: &http::request::Parts) -> Option<String> {
    Some(head.extensions.get::<MatchedPath>()?.as_str().to_owned())
}

pub(crate) fn client() -> Hyper {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT));
    // A stream may be silent for minutes: this tells a silent server from one that is gone.
    http.set_keepalive(Some(KEEPALIVE));
    let connector = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_max_idle_per_host(IDLE_CONNECTIONS);
    builder.build(TrackReuse::new(connector))
}

/// The upstream's URL for a caller's: base path, and what follows the name.
pub(crate) fn target(base: &Uri, name: &str, asked: &Uri) -> Uri {
    let rest = asked.path().strip_prefix('/').and_then(|path| path.strip_prefix(name));
    let base_path = base.path().trim_end_matches('/');
    let rest = rest.unwrap_or_default();
    let slash = if base_path.is_empty() && rest.is_empty() { "/" } else { "" };
    let query = asked.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path: Result<PathAndQuery, _> = format!("{base_path}{rest}{slash}{query}").parse();
    let mut parts = base.clone().into_parts();
    // Both were parts of valid URLs before; should they not fit together, the base is what can be asked for.
    parts.path_and_query = Some(path.unwrap_or_else(|_| PathAndQuery::from_static("/")));
    Uri::from_parts(parts).unwrap_or_else(|_| base.clone())
}
