//! The clients to compare. Settings that differ from the defaults:
//!
//! - reqwest has no proxies, redirects and retries of its own, because none of these happen here.
//!   The peers have the same settings.
//! - The stack of tower and tower-http follows their docs: see `benches/src/cases/stacks.rs`. The
//!   call
//!   timeout is tower's `Timeout`, because tower-http's creates an empty body, which hyper's body
//!   type does not support.
//! - reqwest-retry has the policy of its docs with at most three retries. Its call timeout is
//!   reqwest's, set to 30 s. Like seawall's deadline, it is one timer per call.

use std::{fmt::Debug, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use reqwest_middleware::ClientBuilder;
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};
use seawall::standard::StandardLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, retry::RetryLayer, timeout::TimeoutLayer};
use tower_http::{timeout::ResponseBodyTimeoutLayer, trace::TraceLayer};
use tower_resilience_circuitbreaker::CircuitBreakerLayer;
use tower_resilience_retry::{RetryBudgetBuilder, RetryLayer as ResilienceRetryLayer};
use tower_resilience_timelimiter::TimeLimiterLayer;

use crate::{
    load::{LoadGenerator, load_generator},
    minimal::{MinimalRetry, MinimalTimeout},
    server::RESPONSE_BODY,
    tower_policy::RetryOn502,
};

pub(crate) type HttpRequest = Request<Full<Bytes>>;
type HttpResponse = Response<Incoming>;

/// The defaults of seawall's stack.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) struct ClientCase {
    pub(crate) name: &'static str,
    /// The name of the bare client to compare with.
    pub(crate) base: &'static str,
    pub(crate) make: fn(SocketAddr) -> LoadGenerator,
}

pub(crate) const HYPER: &str = "hyper-util";
pub(crate) const REQWEST: &str = "reqwest";

/// Returns all clients. The first two clients of each base are equal, and their difference is
/// noise.
pub(crate) fn all() -> Vec<ClientCase> {
    let hyper = |name, make| ClientCase { name, base: HYPER, make };
    let reqwest = |name, make| ClientCase { name, base: REQWEST, make };
    vec![
        hyper(HYPER, |server| service(server, bare())),
        hyper("hyper-util, again", |server| service(server, bare())),
        hyper("hyper-util, minimal: a copy of the request, a timer", |server| {
            service(
                server,
                MinimalRetry { inner: MinimalTimeout { inner: bare(), timeout: ATTEMPT_TIMEOUT } },
            )
        }),
        hyper("hyper-util, StandardLayer", |server| {
            service(server, StandardLayer::new("items").layer(bare()))
        }),
        hyper("hyper-util, StandardLayer, cloned for each call", |server| {
            let client = StandardLayer::new("items").layer(bare());
            service(server, tower::service_fn(move |request| client.clone().oneshot(request)))
        }),
        hyper("hyper-util, tower and tower-http, tower-resilience's breaker", |server| {
            service(server, tower_stack())
        }),
        hyper("hyper-util, tower-resilience", |server| service(server, resilience_stack())),
        reqwest(REQWEST, |server| with_reqwest(server, bare_reqwest())),
        reqwest("reqwest, again", |server| with_reqwest(server, bare_reqwest())),
        // The cost of the types in `http`: reqwest parses the URL of each request again.
        reqwest("reqwest, as a service", |server| service(server, as_service())),
        reqwest("reqwest, StandardLayer", |server| {
            service(server, StandardLayer::new("items").layer(as_service()))
        }),
        reqwest("reqwest, its timeout, reqwest-middleware, reqwest-retry", with_reqwest_retry),
    ]
}

/// Creates a client without layers for any body type.
fn bare<B>() -> Client<HttpConnector, B>
where
    B: Body<Data: Send> + Send,
{
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// The type of the services that [`service`] accepts.
macro_rules! ImplService {
    () => {
        impl Service<
            HttpRequest,
            Response = Response<impl Body<Data: Send, Error: Debug> + Send>,
            Error: Debug,
            Future: Send,
        > + Clone + Send
    };
}

fn tower_stack() -> ImplService!() {
    let breaker = CircuitBreakerLayer::builder().failure_classifier(is_failure).build();
    ServiceBuilder::new()
        .layer(ResponseBodyTimeoutLayer::new(BODY_TIMEOUT))
        .layer(TraceLayer::new_for_http())
        .layer(TimeoutLayer::new(CALL_TIMEOUT))
        .layer(RetryLayer::new(RetryOn502::with_budget()))
        .layer(breaker.expect("the defaults are valid"))
        .layer(TimeoutLayer::new(ATTEMPT_TIMEOUT))
        .service(bare())
}

fn resilience_stack() -> ImplService!() {
    let budget = RetryBudgetBuilder::new().token_bucket().build();
    let retry = ResilienceRetryLayer::<HttpRequest, HttpResponse, _>::builder()
        .max_attempts(4)
        .fixed_backoff(Duration::ZERO)
        .retry_on_response(|response: &HttpResponse| response.status().is_server_error())
        .budget(budget.expect("the defaults are valid"))
        .build();
    let breaker = CircuitBreakerLayer::builder().failure_classifier(is_failure).build();
    ServiceBuilder::new()
        .layer(ResponseBodyTimeoutLayer::new(BODY_TIMEOUT))
        .layer(TraceLayer::new_for_http())
        .layer(TimeLimiterLayer::builder().timeout_duration(CALL_TIMEOUT).build())
        .layer(retry)
        .layer(breaker.expect("the defaults are valid"))
        .layer(TimeLimiterLayer::builder().timeout_duration(ATTEMPT_TIMEOUT).build())
        .service(bare())
}

fn is_failure<E>(outcome: &Result<HttpResponse, E>) -> bool {
    outcome.as_ref().map_or(true, |response| response.status().is_server_error())
}

/// Creates a load generator in which each task owns a clone of the service.
fn service<S, B>(server: SocketAddr, service: S) -> LoadGenerator
where
    S: Service<HttpRequest, Response = Response<B>, Error: Debug, Future: Send>,
    S: Clone + Send + 'static,
    B: Body<Data: Send, Error: Debug> + Send,
{
    let request = request(server);
    load_generator(move |mut worker| {
        let (mut service, request) = (service.clone(), request.clone());
        async move {
            while worker.start_call() {
                let ready = service.ready().await.expect("the service is ready");
                let response = ready.call(request.clone()).await.expect("the call succeeds");
                let status = response.status();
                let body =
                    response.into_body().collect().await.expect("the body is complete").to_bytes();
                assert!(status == 200 && body == RESPONSE_BODY);
                worker.end_call();
            }
            worker
        }
    })
}

/// Returns the request of `benches` without `Host`, which clients add.
fn request(server: SocketAddr) -> HttpRequest {
    let mut request = Request::new(Full::default());
    *request.uri_mut() =
        format!("http://{server}/api/items?id=1").parse().expect("the URL is valid");
    for (name, value) in [
        (header::USER_AGENT, "benches/0"),
        (header::ACCEPT, "application/json"),
        (header::AUTHORIZATION, "Bearer abcdefgh"),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    request
}

fn reqwest_builder() -> reqwest::ClientBuilder {
    let none = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(none).retry(reqwest::retry::never())
}

fn bare_reqwest() -> reqwest::Client {
    reqwest_builder().build().expect("the settings are valid")
}

fn as_service() -> seawall::reqwest::Client {
    seawall::reqwest::Client::build(reqwest_builder()).expect("the settings are valid")
}

/// Creates a load generator for reqwest's client, or for a client with the same methods.
macro_rules! execute {
    ($to:expr, $client:expr) => {{
        let (client, request) = ($client, reqwest_request($to));
        load_generator(move |mut worker| {
            let (client, request) = (client.clone(), clone_request(&request));
            async move {
                while worker.start_call() {
                    let response =
                        client.execute(clone_request(&request)).await.expect("the call succeeds");
                    read_body(response).await;
                    worker.end_call();
                }
                worker
            }
        })
    }};
}

fn with_reqwest(server: SocketAddr, client: reqwest::Client) -> LoadGenerator {
    execute!(server, client)
}

fn with_reqwest_retry(server: SocketAddr) -> LoadGenerator {
    let policy = ExponentialBackoff::builder().build_with_max_retries(3);
    let client = ClientBuilder::new(
        reqwest_builder().timeout(CALL_TIMEOUT).build().expect("the settings are valid"),
    )
    .with(RetryTransientMiddleware::new_with_policy(policy))
    .build();
    execute!(server, client)
}

fn reqwest_request(server: SocketAddr) -> reqwest::Request {
    request(server).map(|_| reqwest::Body::default()).try_into().expect("the URL is valid")
}

/// Clones a request whose URL is already parsed, as programs that use reqwest do.
fn clone_request(request: &reqwest::Request) -> reqwest::Request {
    request.try_clone().expect("the body can be cloned")
}

async fn read_body(response: reqwest::Response) {
    let status = response.status();
    let body = response.bytes().await.expect("the body is complete");
    assert!(status == 200 && body == RESPONSE_BODY);
}
