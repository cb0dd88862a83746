//! Sends 10,000 concurrent requests to upstreams, some of which fail.

use std::{collections::BTreeMap, fs, ops::Range, sync::Arc, time::Duration};

use axum::body::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    barrier_upstreams::{BODY_END, RequestLog, Upstreams},
    resident_kib,
    support::GatewayProcess,
};

/// The number of requests in flight at once.
const REQUESTS: usize = 10_000;

/// HTTP/2 connections, because 10,000 HTTP/1.1 connections would exceed the limit of open files.
const CONNECTIONS: usize = 64;

/// The number of rounds after which the gateway's pools, buffers and tables stop growing.
const WARM_UP_ROUNDS: usize = 3;

/// jemalloc returns unused memory within ten seconds.
const DECAY_TIME: Duration = Duration::from_secs(12);

const MEASURED_ROUNDS: usize = 2;

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// The complete response to this request.
    Complete,
    /// A response with status 429, 502, 503, 504 or 529.
    Failed(StatusCode),
    /// A response whose upstream interrupted it.
    Interrupted,
    /// No response, a truncated response without an error, or the response to another request.
    Lost,
}

type Http2 = Client<HttpConnector, Full<Bytes>>;

async fn send(client: Http2, url: String, id: String, log: Arc<RequestLog>) -> Outcome {
    let request = Request::post(url).header("x-id", &id).body(Full::from(id.clone())).unwrap();
    let response = match client.request(request).await {
        Ok(response) => response,
        // The reset of a stream may overtake its head.
        Err(_) if log.was_interrupted(&id) => return Outcome::Interrupted,
        Err(_) => return Outcome::Lost,
    };
    let status = response.status();
    let body = response.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    match (status.as_u16(), body) {
        (200, Ok(body)) if body == format!("{id}{BODY_END}") => Outcome::Complete,
        (200, Err(_)) if log.was_interrupted(&id) => Outcome::Interrupted,
        (429 | 502 | 503 | 504 | 529, Ok(_)) => Outcome::Failed(status),
        _ => Outcome::Lost,
    }
}

/// Sends all requests at once and counts their outcomes.
async fn run_round(gateway: &str, round: usize, log: &Arc<RequestLog>) -> BTreeMap<Outcome, usize> {
    let clients: Vec<Http2> = (0..CONNECTIONS)
        .map(|_| Client::builder(TokioExecutor::new()).http2_only(true).build_http())
        .collect();
    let mut calls = JoinSet::new();
    for index in 0..REQUESTS {
        let client = clients[index % CONNECTIONS].clone();
        let url = format!("{gateway}/llm/v1/answer");
        calls.spawn(send(client, url, format!("{round}-{index}"), Arc::clone(log)));
    }
    let mut outcomes = BTreeMap::new();
    while let Some(outcome) = calls.join_next().await {
        *outcomes.entry(outcome.unwrap()).or_default() += 1;
    }
    outcomes
}

/// Returns the limit of open files.
fn max_open_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Returns the minimum of three readings of the resident memory.
///
/// The allocator returns memory gradually, so a single reading may be 10 % too high. A leak shows
/// in every reading.
async fn min_resident_kib(pid: u32) -> u64 {
    let mut min = u64::MAX;
    for wait in [DECAY_TIME, DECAY_TIME / 2, DECAY_TIME / 2] {
        tokio::time::sleep(wait).await;
        min = min.min(resident_kib(pid));
    }
    min
}

fn config_file(upstreams: &Upstreams) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let urls = upstreams.urls().map(|url| format!("[[service.upstream]]\nurl = \"{url}\"\n"));
    let urls: String = urls.collect();
    let text = format!("[policy]\nany_method = true\n[[service]]\nname = \"llm\"\n{urls}");
    fs::write(file.path(), text).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute, and 11,000 open files: ulimit -n 16384"]
async fn concurrent_requests_are_neither_lost_nor_duplicated() {
    assert!(max_open_files() > REQUESTS + 1_000, "ulimit -n 16384");
    let log = Arc::new(RequestLog::default());
    let upstreams = Upstreams::start(&log).await;
    let file = config_file(&upstreams);
    let gateway = GatewayProcess::start_with_env(
        &["--config", file.path().to_str().unwrap()],
        // An unread pipe would fill up and block the gateway.
        &[("RUST_LOG", "off")],
    );
    let run_rounds = async |rounds: Range<usize>| {
        for round in rounds {
            log.start_round(REQUESTS);
            let started = Instant::now();
            let outcomes = run_round(&gateway.url, round, &log).await;
            let elapsed = started.elapsed();
            println!(
                "round {round}: {outcomes:?}, at most {} in flight upstream, {elapsed:.1?}",
                log.max_in_flight()
            );
            assert_eq!(outcomes.values().sum::<usize>(), REQUESTS);
            assert_eq!(outcomes.get(&Outcome::Lost), None, "round {round}");
            assert_eq!(log.duplicates(), 0, "round {round}");
            let complete = outcomes.get(&Outcome::Complete).copied().unwrap_or_default();
            assert_eq!(
                log.completed(),
                complete,
                "round {round}: expected every completed response to arrive"
            );
            assert!(
                log.max_in_flight() > REQUESTS * 9 / 10,
                "expected more than 90 % of the requests in flight, found {}",
                log.max_in_flight()
            );
        }
    };
    run_rounds(0..WARM_UP_ROUNDS).await;
    let mut before = min_resident_kib(gateway.pid()).await;
    // A leak grows in both measurements. In one, the allocator may only retain more memory.
    for measurement in 0..2 {
        let first = WARM_UP_ROUNDS + measurement * MEASURED_ROUNDS;
        run_rounds(first..first + MEASURED_ROUNDS).await;
        let after = min_resident_kib(gateway.pid()).await;
        println!("memory before {before} KiB, after {after} KiB");
        if after <= before + before / 20 {
            return;
        }
        before = after;
    }
    panic!("expected stable memory, but it grew by more than 5 % in both measurements");
}
