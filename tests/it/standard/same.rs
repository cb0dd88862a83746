//! The stack does what its layers do one inside the other, whatever the upstream does.

use std::{
    collections::VecDeque,
    io,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use proptest::prelude::*;
use seawall::{
    BadGatewayClassifierLayer, BodyTimeoutLayer, BoxError, Cause, CircuitBreakerLayer,
    DeadlineHeaderLayer, DeadlineLayer, InFlightLimitLayer, LoggingLayer, RetryLayer,
    StandardLayer, TimeoutLayer,
    circuit_breaker::by_authority,
    classify::classify_error,
    deadline::TimeoutHeader,
    retry::{Attempts, Backoff, Override, ReplayBody},
    standard::Timeouts,
};
use tokio::time::Instant;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::{Body, get};
use crate::support::{Step, Steps};

const MINUTE: Duration = Duration::from_secs(60);

/// What the upstream does with a request.
#[derive(Clone, Debug)]
enum Does {
    Answer { status: u16, proxy_status: bool, body: Vec<Step> },
    Fail(io::ErrorKind),
    Hang,
    Slow(u64),
}

fn does() -> impl Strategy<Value = Does> {
    let statuses = prop::sample::select(vec![200, 204, 302, 404, 429, 500, 502, 503, 504, 520]);
    let page = Bytes::from("<html><center>nginx/1.22.1</center></html>");
    let step = prop_oneof![
        Just(Step::Data(page)),
        Just(Step::Pause),
        Just(Step::Stall),
        Just(Step::Error),
    ];
    prop_oneof![
        4 => (statuses, any::<bool>(), prop::collection::vec(step, 0..3))
            .prop_map(|(status, proxy_status, body)| Does::Answer { status, proxy_status, body }),
        1 => prop::sample::select(vec![io::ErrorKind::ConnectionRefused, io::ErrorKind::ConnectionReset])
            .prop_map(Does::Fail),
        1 => Just(Does::Hang),
        1 => (0_u64..4_000).prop_map(Does::Slow),
    ]
}

type Seen = Arc<Mutex<Vec<Option<String>>>>;

/// Does these in turn, then answers well. Tells what it was sent.
fn upstream(
    script: &[Does],
) -> (
    Seen,
    impl Service<
        Request<ReplayBody<Body>>,
        Response = Response<Steps>,
        Error = io::Error,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static,
) {
    let seen = Seen::default();
    let script = Arc::new(Mutex::new(VecDeque::from(script.to_vec())));
    let keep = Arc::clone(&seen);
    let service = service_fn(move |request: Request<ReplayBody<Body>>| {
        let left = request.headers().get("grpc-timeout");
        keep.lock().unwrap().push(left.map(|left| left.to_str().unwrap().to_owned()));
        let does = script.lock().unwrap().pop_front();
        async move {
            let (status, proxy_status, body) = match does {
                None => (200, false, vec![]),
                Some(Does::Answer { status, proxy_status, body }) => (status, proxy_status, body),
                Some(Does::Fail(kind)) => return Err(kind.into()),
                Some(Does::Hang) => std::future::pending().await,
                Some(Does::Slow(millis)) => {
                    tokio::time::sleep(Duration::from_millis(millis)).await;
                    (200, false, vec![])
                }
            };
            let mut response = Response::new(Steps::new(body));
            *response.status_mut() = status.try_into().unwrap();
            if proxy_status {
                let value = HeaderValue::from_static("edge; error=dns_timeout");
                response.headers_mut().insert(HeaderName::from_static("proxy-status"), value);
            }
            Ok(response)
        }
    });
    (seen, service)
}

/// How a call ended, and when.
#[derive(Debug, PartialEq)]
enum End {
    Answered {
        status: u16,
        failure: Option<Cause>,
        attempts: Option<u32>,
        body: Result<Bytes, Cause>,
    },
    Failed(Cause, String),
    /// By its caller.
    Dropped,
}

/// How a caller calls.
#[derive(Clone, Debug)]
struct Caller {
    /// Drops the call by then.
    patience: Option<u64>,
    /// The request brings a policy of its own.
    overrides: bool,
    /// What it says that it waits for.
    says: Option<u64>,
}

fn caller() -> impl Strategy<Value = Caller> {
    let some = |most| prop::option::weighted(0.3, 0_u64..most);
    (some(8_000), prop::bool::weighted(0.2), some(8_000))
        .prop_map(|(patience, overrides, says)| Caller { patience, overrides, says })
}

impl Caller {
    fn request(&self) -> Request<Body> {
        let mut request = get("http://billing/");
        if self.overrides {
            // By hand, what the next hop is left has to be said of each policy.
            let own = RetryLayer::new()
                .total(2)
                .backoff(Backoff::constant(Duration::from_secs(1)))
                .min_attempt(Duration::from_millis(50));
            request.extensions_mut().insert(Override::new(own));
        }
        if let Some(says) = self.says {
            let value = HeaderValue::from_str(&format!("{says}m")).unwrap();
            request.headers_mut().insert("grpc-timeout", value);
        }
        request
    }
}

async fn calls<S, B>(service: S, callers: &[[Caller; 2]]) -> Vec<(End, Duration)>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone,
    B: http_body::Body<Data = Bytes, Error = BoxError>,
{
    let start = Instant::now();
    let mut ends = Vec::new();
    for [first, second] in callers {
        // Two at once, of which the limit refuses some.
        let one = async |caller: &Caller| {
            let patience = caller.patience.map_or(MINUTE * 60, Duration::from_millis);
            let end = async {
                match service.clone().oneshot(caller.request()).await {
                    Err(error) => End::Failed(classify_error(&*error).cause(), error.to_string()),
                    Ok(response) => End::Answered {
                        status: response.status().as_u16(),
                        failure: response.extensions().get().map(seawall::Failure::cause),
                        attempts: response.extensions().get().map(|it: &Attempts| it.count().get()),
                        body: match response.into_body().collect().await {
                            Ok(body) => Ok(body.to_bytes()),
                            Err(error) => Err(classify_error(&*error).cause()),
                        },
                    },
                }
            };
            let end = tokio::time::timeout(patience, end).await.unwrap_or(End::Dropped);
            (end, start.elapsed())
        };
        ends.extend(join_all([one(first), one(second)]).await);
    }
    ends
}

/// What both are made of.
struct Parts {
    retry: RetryLayer,
    breaker: CircuitBreakerLayer,
    limit: InFlightLimitLayer,
    header: DeadlineHeaderLayer,
    attempt: Duration,
    deadline: DeadlineLayer,
}

fn parts(limit: u32, attempt: u64, with_body: bool) -> Parts {
    Parts {
        retry: RetryLayer::new().backoff(Backoff::none()).min_attempt(Duration::from_millis(50)),
        // Beyond the test: how long exactly is chance.
        breaker: CircuitBreakerLayer::new().min_calls(6).open_for(MINUTE * 60),
        limit: InFlightLimitLayer::new(NonZeroU32::new(limit).unwrap()),
        header: DeadlineHeaderLayer::new(TimeoutHeader::Grpc),
        attempt: Duration::from_millis(attempt),
        deadline: DeadlineLayer::new(Duration::from_secs(6))
            .trust(TimeoutHeader::Grpc)
            .with_body(with_body),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_stack_does_what_its_layers_do(
        script in prop::collection::vec(does(), 0..24),
        limit in 1_u32..3,
        attempt in 100_u64..6_000,
        with_body in any::<bool>(),
        callers in prop::collection::vec([caller(), caller()], 8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        let (seen, client) = upstream(&script);
        let (stack, by_hand) = runtime.block_on(async {
            let Parts { retry, breaker, limit, header, attempt, deadline } =
                parts(limit, attempt, with_body);
            let layer = StandardLayer::new("billing")
                .timeouts(Timeouts::new(attempt, MINUTE).unwrap())
                .deadline(deadline.clone())
                .retry(retry).circuit_breaker(breaker.clone()).in_flight(limit.clone()).next_hop(header);
            let stack = calls(layer.layer(client), &callers).await;

            let (seen_by_hand, client) = upstream(&script);
            let Parts { retry, header, .. } = parts(1, 1, with_body);
            let layers = ServiceBuilder::new()
                .layer(LoggingLayer::client())
                .layer(deadline)
                .layer(retry.budget_by(seawall::retry::Budget::default(), by_authority))
                .layer(breaker.keyed(by_authority))
                .layer(limit.keyed(by_authority))
                .layer(TimeoutLayer::new(attempt))
                .layer(BodyTimeoutLayer::new().idle(MINUTE))
                .layer(header)
                .layer(BadGatewayClassifierLayer::new())
                .service(client);
            let by_hand = calls(layers, &callers).await;
            ((stack, seen), (by_hand, seen_by_hand))
        });
        let sent = |seen: Seen| std::mem::take(&mut *seen.lock().unwrap());
        prop_assert_eq!(stack.0, by_hand.0);
        prop_assert_eq!(sent(stack.1), sent(by_hand.1));
    }
}
