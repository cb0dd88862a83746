//! Ten thousand requests under way at once, to upstreams some of which fail.

#[path = "../support/mod.rs"]
mod support;
mod upstreams;

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use axum::body::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use support::Serving;
use tokio::{task::JoinSet, time::Instant};
use upstreams::{END, Seen, Upstreams};

/// How many requests are under way at once.
const REQUESTS: usize = 10_000;

/// Over so many connections: a process may have fewer files open than that takes one by one, and HTTP/2 shares them.
const CONNECTIONS: usize = 64;

/// Until the gateway's pools, buffers and tables are as large as they will be.
const WARM_UP: usize = 3;

/// After that what is not in use has been given back: jemalloc takes ten seconds for it.
const DECAY: Duration = Duration::from_secs(12);

const ROUNDS: usize = 2;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// Its own answer, to the end.
    Answered,
    /// A failure that says so: 429, 502, 503, 504, 529.
    Failed(StatusCode),
    /// A stream that broke off, and was seen to.
    BrokenOff,
    /// Anything else: no answer, a part that looks whole, another's answer.
    Lost,
}

type Http2 = Client<HttpConnector, Full<Bytes>>;

async fn ask(client: Http2, url: String, id: String, seen: Arc<Seen>) -> End {
    let request = Request::post(url).header("x-id", &id).body(Full::from(id.clone())).unwrap();
    let response = match client.request(request).await {
        Ok(response) => response,
        // The reset of a stream may overtake its beginning.
        Err(_) if seen.broke_off(&id) => return End::BrokenOff,
        Err(_) => return End::Lost,
    };
    let status = response.status();
    let body = response.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    match (status.as_u16(), body) {
        (200, Ok(body)) if body == format!("{id}{END}") => End::Answered,
        (200, Err(_)) if seen.broke_off(&id) => End::BrokenOff,
        (429 | 502 | 503 | 504 | 529, Ok(_)) => End::Failed(status),
        _ => End::Lost,
    }
}

/// Sends all requests at once; gives what became of them.
async fn round(gateway: &str, number: usize, seen: &Arc<Seen>) -> BTreeMap<End, usize> {
    let clients: Vec<Http2> = (0..CONNECTIONS)
        .map(|_| Client::builder(TokioExecutor::new()).http2_only(true).build_http())
        .collect();
    let mut calls = JoinSet::new();
    for at in 0..REQUESTS {
        let client = clients[at % CONNECTIONS].clone();
        let url = format!("{gateway}/llm/v1/answer");
        calls.spawn(ask(client, url, format!("{number}-{at}"), Arc::clone(seen)));
    }
    let mut ends = BTreeMap::new();
    while let Some(end) = calls.join_next().await {
        *ends.entry(end.unwrap()).or_default() += 1;
    }
    ends
}

/// The resident memory of a process, in KiB.
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// How many files a process may have open.
fn files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// What is in use once the allocator has given back what it will: it does so little by little, so a single reading may be
/// a tenth too high. What leaks is in every one.
async fn settled(pid: u32) -> u64 {
    let mut least = u64::MAX;
    for wait in [DECAY, DECAY / 2, DECAY / 2] {
        tokio::time::sleep(wait).await;
        least = least.min(memory(pid));
    }
    least
}

fn file(upstreams: &Upstreams) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let urls = upstreams.urls().map(|url| format!("[[service.upstream]]\nurl = \"{url}\"\n"));
    let urls: String = urls.collect();
    let text = format!("[policy]\nany_method = true\n[[service]]\nname = \"llm\"\n{urls}");
    fs::write(file.path(), text).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute, and 11,000 open files: ulimit -n 16384"]
async fn of_ten_thousand_requests_at_once_none_is_lost_and_none_answered_twice() {
    assert!(files() > REQUESTS + 1_000, "ulimit -n 16384");
    let seen = Arc::new(Seen::default());
    let upstreams = Upstreams::start(&seen).await;
    let file = file(&upstreams);
    let gateway = Serving::start_with(
        &["--config", file.path().to_str().unwrap()],
        // A pipe that nobody reads would fill up.
        &[("RUST_LOG", "off")],
    );
    let mut before = 0;
    for number in 0..WARM_UP + ROUNDS {
        seen.begin(REQUESTS);
        let started = Instant::now();
        let ends = round(&gateway.url, number, &seen).await;
        let took = started.elapsed();
        println!("round {number}: {ends:?}, at most {} at once upstream, {took:.1?}", seen.most());
        assert_eq!(ends.values().sum::<usize>(), REQUESTS);
        assert_eq!(ends.get(&End::Lost), None, "round {number}");
        assert_eq!(seen.answered_twice(), 0, "round {number}");
        let answered = ends.get(&End::Answered).copied().unwrap_or_default();
        assert_eq!(seen.answered(), answered, "round {number}: what was answered arrived");
        assert!(seen.most() > REQUESTS * 9 / 10, "only {} were under way at once", seen.most());
        if number + 1 == WARM_UP {
            before = settled(gateway.pid()).await;
        }
    }
    let after = settled(gateway.pid()).await;
    println!("memory before {before} KiB, after {after} KiB");
    assert!(after <= before + before / 20, "{before} KiB became {after} KiB");
}
