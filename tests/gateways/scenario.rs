//! What the origin does, and what may be concluded of it from behind a gateway.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use scripted_origin::{Origin, Script};
use seawall::{
    BoxError, Cause, Classify, Failure, HttpClassifier, Processed, RetryLayer, TimeoutLayer,
    retry::{Backoff, Budget, ReplayBody},
};
use tower::{ServiceBuilder, ServiceExt};

use crate::gateway::Gateway;

type Body = Full<Bytes>;

/// What an origin does and what the stack is to make of it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    script: Script,
    /// `None`: a success.
    cause: Option<Cause>,
    /// Requests that the stack is to send for one GET: 4 where the status is in the forcelist.
    gets: usize,
}

pub(crate) const SCENARIOS: [Scenario; 11] = [
    scenario("healthy", Script::Healthy, None, 1),
    // nginx answers 502 for whatever is wrong with the connection: the stack is to say no more than that.
    scenario("refused", Script::Refuse, Some(Cause::BadGateway), 4),
    scenario("accept, close", Script::AcceptClose, Some(Cause::BadGateway), 4),
    scenario("reset", Script::Reset, Some(Cause::BadGateway), 4),
    scenario("truncated head", Script::TruncatedHead, Some(Cause::BadGateway), 4),
    scenario("huge head", Script::HugeHead, Some(Cause::BadGateway), 4),
    scenario("silent", Script::Silent, Some(Cause::GatewayTimeout), 4),
    scenario("429", Script::Status(429), Some(Cause::RateLimited), 4),
    scenario("500", Script::Status(500), Some(Cause::OriginError), 4),
    scenario("502", Script::Status(502), Some(Cause::BadGateway), 4),
    scenario("503", Script::Status(503), Some(Cause::Overloaded), 4),
];

const fn scenario(
    name: &'static str,
    script: Script,
    cause: Option<Cause>,
    gets: usize,
) -> Scenario {
    Scenario { name, script, cause, gets }
}

/// What became of one GET and one POST.
pub(crate) struct Met {
    pub(crate) status: StatusCode,
    failure: Option<Failure>,
    /// Requests that the stack sent.
    pub(crate) gets: usize,
    pub(crate) posts: usize,
}

impl Met {
    pub(crate) fn concluded(&self) -> &'static str {
        self.failure.map_or("success", |failure| failure.cause().as_str())
    }
}

impl Scenario {
    pub(crate) async fn run(&self, start: impl AsyncFn(SocketAddr) -> Gateway) -> Met {
        let origin = Origin::start(self.script).await.unwrap();
        let gateway = start(origin.addr()).await;
        let (response, gets) = send(&gateway, Method::GET).await;
        let (_, posts) = send(&gateway, Method::POST).await;
        let failure = HttpClassifier::new().classify(Ok(&response));
        let status = response.status();
        if status == StatusCode::OK {
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
        }
        Met { status, failure, gets, posts }
    }

    /// What is wrong with what became of it.
    pub(crate) fn wrong(&self, met: &Met) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |right: bool, what: &str| {
            if !right {
                wrong.push(format!("{}: {what}", self.name));
            }
        };
        check(met.failure.map(|failure| failure.cause()) == self.cause, "the cause");
        check(met.gets == self.gets, "how often a GET is sent");
        check(met.posts == 1, "a POST is sent once");
        let processed = met.failure.map(|failure| failure.processed());
        check(processed.is_none_or(|it| it == Processed::Maybe), "a response proves nothing");
        wrong
    }
}

/// Sends one request through the whole stack; gives the answer, and how many requests the stack made of it.
async fn send(gateway: &Gateway, method: Method) -> (Response<Incoming>, usize) {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = {
        let sent = Arc::clone(&sent);
        move |request: Request<ReplayBody<Body>>| {
            sent.fetch_add(1, Ordering::Relaxed);
            request
        }
    };
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new().backoff(Backoff::none()).budget(Budget::none()))
        .map_request(count)
        .layer(TimeoutLayer::new(Duration::from_secs(10)))
        .service(Client::builder(TokioExecutor::new()).build_http());
    let request = Request::builder().method(method).uri(format!("http://{}/", gateway.addr));
    let response: Result<_, BoxError> =
        client.oneshot(request.body(Body::from("hi")).unwrap()).await;
    (response.unwrap(), sent.load(Ordering::Relaxed))
}
