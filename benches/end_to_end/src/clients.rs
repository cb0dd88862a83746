//! Who is measured. Settings, and why, where they are not the defaults:
//!
//! - hyper-util and reqwest without proxies, redirects and retries of their own: nothing of these happens here, and the peers
//!   are told the same.
//! - The stack of tower and tower-http by their docs (see `benches/src/rows/stacks.rs`), with tower's `Timeout` for the
//!   whole call, since that of tower-http makes an empty body, and hyper's cannot be.
//! - reqwest-retry with the policy of its docs, three retries at most as everywhere here; and reqwest's own timeout of 30 s,
//!   which is a timer a call as our deadline is.

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
use seawall::StandardLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, retry::RetryLayer, timeout::TimeoutLayer};
use tower_http::{timeout::ResponseBodyTimeoutLayer, trace::TraceLayer};
use tower_resilience_circuitbreaker::CircuitBreakerLayer;
use tower_resilience_retry::{RetryBudgetBuilder, RetryLayer as ResilienceRetryLayer};
use tower_resilience_timelimiter::TimeLimiterLayer;

use crate::{
    calls::{Calls, calls},
    floor::{KeepRequest, LazySleep},
    retry_502::Retry502,
    server::ANSWER,
};

pub(crate) type Outgoing = Request<Full<Bytes>>;
type Answered = Response<Incoming>;

/// As in our stack by default.
const ATTEMPT: Duration = Duration::from_secs(10);
const TOTAL: Duration = Duration::from_secs(30);
const BODY: Duration = Duration::from_secs(60);

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// With what its times are compared: the same client, bare.
    pub(crate) base: &'static str,
    pub(crate) make: fn(SocketAddr) -> Calls,
}

pub(crate) const HYPER: &str = "hyper-util";
pub(crate) const REQWEST: &str = "reqwest";

/// The first of each base is the base, and the second the same again: what they differ by is noise.
pub(crate) fn all() -> Vec<Peer> {
    let hyper = |name, make| Peer { name, base: HYPER, make };
    let reqwest = |name, make| Peer { name, base: REQWEST, make };
    vec![
        hyper(HYPER, |to| service(to, bare())),
        hyper("hyper-util, again", |to| service(to, bare())),
        hyper("hyper-util, floor: a copy of the request, a timer", |to| {
            service(to, KeepRequest { inner: LazySleep { inner: bare(), limit: ATTEMPT } })
        }),
        hyper("hyper-util, StandardLayer", |to| {
            service(to, StandardLayer::new("items").layer(bare()))
        }),
        hyper("hyper-util, StandardLayer, cloned for each call", |to| {
            let client = StandardLayer::new("items").layer(bare());
            service(to, tower::service_fn(move |request| client.clone().oneshot(request)))
        }),
        hyper("hyper-util, tower and tower-http, tower-resilience's breaker", |to| {
            service(to, of_tower())
        }),
        hyper("hyper-util, tower-resilience", |to| service(to, of_resilience())),
        reqwest(REQWEST, |to| with_reqwest(to, plain())),
        reqwest("reqwest, again", |to| with_reqwest(to, plain())),
        // What it costs that it takes http's types, in which a URL has to be parsed anew for each call.
        reqwest("reqwest, as a service", |to| service(to, as_service())),
        reqwest("reqwest, StandardLayer", |to| {
            service(to, StandardLayer::new("items").layer(as_service()))
        }),
        reqwest("reqwest, its timeout, reqwest-middleware, reqwest-retry", with_reqwest_retry),
    ]
}

/// With a body that the stack can send again; a client bare takes any.
fn bare<B>() -> Client<HttpConnector, B>
where
    B: Body<Data: Send> + Send,
{
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// A service that [`service`] can call.
macro_rules! Calling {
    () => {
        impl Service<
            Outgoing,
            Response = Response<impl Body<Data: Send, Error: Debug> + Send>,
            Error: Debug,
            Future: Send,
        > + Clone + Send
    };
}

fn of_tower() -> Calling!() {
    let breaker = CircuitBreakerLayer::builder().failure_classifier(failed).build();
    ServiceBuilder::new()
        .layer(ResponseBodyTimeoutLayer::new(BODY))
        .layer(TraceLayer::new_for_http())
        .layer(TimeoutLayer::new(TOTAL))
        .layer(RetryLayer::new(Retry502::with_budget()))
        .layer(breaker.expect("its defaults"))
        .layer(TimeoutLayer::new(ATTEMPT))
        .service(bare())
}

fn of_resilience() -> Calling!() {
    let budget = RetryBudgetBuilder::new().token_bucket().build();
    let retry = ResilienceRetryLayer::<Outgoing, Answered, _>::builder()
        .max_attempts(4)
        .fixed_backoff(Duration::ZERO)
        .retry_on_response(|response: &Answered| response.status().is_server_error())
        .budget(budget.expect("its defaults"))
        .build();
    let breaker = CircuitBreakerLayer::builder().failure_classifier(failed).build();
    ServiceBuilder::new()
        .layer(ResponseBodyTimeoutLayer::new(BODY))
        .layer(TraceLayer::new_for_http())
        .layer(TimeLimiterLayer::builder().timeout_duration(TOTAL).build())
        .layer(retry)
        .layer(breaker.expect("its defaults"))
        .layer(TimeLimiterLayer::builder().timeout_duration(ATTEMPT).build())
        .service(bare())
}

fn failed<E>(outcome: &Result<Answered, E>) -> bool {
    outcome.as_ref().map_or(true, |response| response.status().is_server_error())
}

/// Calls a service of one's own, as a task that keeps one does.
fn service<S, B>(to: SocketAddr, service: S) -> Calls
where
    S: Service<Outgoing, Response = Response<B>, Error: Debug, Future: Send>,
    S: Clone + Send + 'static,
    B: Body<Data: Send, Error: Debug> + Send,
{
    let request = request(to);
    calls(move |mut turns| {
        let (mut service, request) = (service.clone(), request.clone());
        async move {
            while turns.begin() {
                let ready = service.ready().await.expect("it is there");
                let response = ready.call(request.clone()).await.expect("it answers");
                let status = response.status();
                let body = response.into_body().collect().await.expect("a body").to_bytes();
                assert!(status == 200 && body == ANSWER);
                turns.end();
            }
            turns
        }
    })
}

/// As `benches` has one, without `Host`, which clients add.
fn request(to: SocketAddr) -> Outgoing {
    let mut request = Request::new(Full::default());
    *request.uri_mut() = format!("http://{to}/api/items?id=1").parse().expect("a URL");
    for (name, value) in [
        (header::USER_AGENT, "benches/0"),
        (header::ACCEPT, "application/json"),
        (header::AUTHORIZATION, "Bearer abcdefgh"),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    request
}

fn builder() -> reqwest::ClientBuilder {
    let none = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(none).retry(reqwest::retry::never())
}

fn plain() -> reqwest::Client {
    builder().build().expect("a client")
}

fn as_service() -> seawall::reqwest::Client {
    seawall::reqwest::Client::build(builder()).expect("a client")
}

/// Calls reqwest's client, or what is like one.
macro_rules! execute {
    ($to:expr, $client:expr) => {{
        let (client, request) = ($client, reqwest_request($to));
        calls(move |mut turns| {
            let (client, request) = (client.clone(), again(&request));
            async move {
                while turns.begin() {
                    let response = client.execute(again(&request)).await.expect("it answers");
                    read(response).await;
                    turns.end();
                }
                turns
            }
        })
    }};
}

fn with_reqwest(to: SocketAddr, client: reqwest::Client) -> Calls {
    execute!(to, client)
}

fn with_reqwest_retry(to: SocketAddr) -> Calls {
    let policy = ExponentialBackoff::builder().build_with_max_retries(3);
    let client = ClientBuilder::new(builder().timeout(TOTAL).build().expect("a client"))
        .with(RetryTransientMiddleware::new_with_policy(policy))
        .build();
    execute!(to, client)
}

fn reqwest_request(to: SocketAddr) -> reqwest::Request {
    request(to).map(|_| reqwest::Body::default()).try_into().expect("a URL")
}

/// Its URL has been parsed, as that of somebody who uses reqwest has.
fn again(request: &reqwest::Request) -> reqwest::Request {
    request.try_clone().expect("no body that could be used up")
}

async fn read(response: reqwest::Response) {
    let status = response.status();
    let body = response.bytes().await.expect("a body");
    assert!(status == 200 && body == ANSWER);
}
