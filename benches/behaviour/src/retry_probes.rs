//! Probes of retrying clients.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use scripted_origin::{Origin, Script};
use tokio::time::Instant;

use crate::retries::{Body, Decides, HttpClient, Peer};

/// The name of the probe, true if it passed, and the observation.
pub(crate) type ProbeResult = (&'static str, bool, String);

/// Runs the probes. If the peer does not make the decision of a probe, its result depends on the
/// user.
pub(crate) async fn run(peer: &Peer) -> Vec<(Decides, ProbeResult)> {
    use Decides::{How, HowAndWhich};

    vec![
        (How, retry_after(peer, "a retry waits for `Retry-After: 1`", "1").await),
        (
            How,
            retry_after(peer, "a retry waits for `Retry-After` with a date", &in_two_seconds())
                .await,
        ),
        (HowAndWhich, post_on_502(peer).await),
        (How, repeated_put(peer).await),
        (How, failing_upstream(peer).await),
        (How, connection_reuse(peer).await),
    ]
}

async fn start_origin(script: Script) -> Origin {
    Origin::start(script).await.expect("a free port on the loopback interface")
}

fn request(method: Method, origin: &Origin, body: Bytes) -> Request<Body> {
    let request = Request::builder().method(method).uri(format!("http://{}/", origin.addr()));
    request.body(Full::new(body)).expect("all parts are valid")
}

async fn get(client: &HttpClient, origin: &Origin) -> Option<u16> {
    client(request(Method::GET, origin, Bytes::new())).await.ok()
}

/// Returns an HTTP-date at least one second in the future. The format drops fractions of a second.
fn in_two_seconds() -> String {
    #[allow(clippy::disallowed_methods, reason = "an HTTP-date is wall time")]
    let now = SystemTime::now();
    httpdate::fmt_http_date(now + Duration::from_secs(2))
}

async fn retry_after(peer: &Peer, probe: &'static str, value: &str) -> ProbeResult {
    // Leaks a few strings per run.
    let header: &'static str = format!("retry-after: {value}\r\n").leak();
    let origin = start_origin(Script::Once(503, header)).await;
    let started = Instant::now();
    let status = get(&(peer.make)(), &origin).await;
    let waited = started.elapsed().as_secs_f64();
    let outcome = status.map_or_else(|| "an error".into(), |status| status.to_string());
    let observed = format!("{waited:.2} s, {} requests, {outcome}", origin.requests());
    (probe, status == Some(200) && waited >= 0.95, observed)
}

async fn post_on_502(peer: &Peer) -> ProbeResult {
    let origin = start_origin(Script::Status(502)).await;
    let _ = (peer.make)()(request(Method::POST, &origin, Bytes::from("pay"))).await;
    let sent = origin.requests();
    ("a POST that gets 502 is sent once", sent == 1, format!("{sent} requests"))
}

async fn repeated_put(peer: &Peer) -> ProbeResult {
    let origin = start_origin(Script::Once(503, "")).await;
    let body = Bytes::from(vec![b'x'; 1024]);
    let status = (peer.make)()(request(Method::PUT, &origin, body.clone())).await;
    let received = origin.received();
    let same = received.iter().all(|it| it.head == received[0].head && it.body == body);
    let observed =
        format!("{} requests, {}", received.len(), if same { "equal" } else { "different" });
    (
        "a retried PUT is equal byte for byte",
        status == Ok(200) && received.len() == 2 && same,
        observed,
    )
}

async fn failing_upstream(peer: &Peer) -> ProbeResult {
    const CALLS: u32 = 1_000;
    let origin = start_origin(Script::Status(502)).await;
    let client = (peer.make)();
    for _ in 0..CALLS {
        get(&client, &origin).await;
    }
    let load = origin.requests() as f64 / f64::from(CALLS);
    let probe = "1,000 calls to a failing upstream cause at most 1,500 requests";
    (probe, (1.01..1.5).contains(&load), format!("{load:.2} requests per call"))
}

async fn connection_reuse(peer: &Peer) -> ProbeResult {
    // The minimum of three retries that every budget permits is sufficient.
    let origin = start_origin(Script::Flaky { every: 10 }).await;
    let client = (peer.make)();
    let mut succeeded = 0;
    for _ in 0..30 {
        succeeded += u32::from(get(&client, &origin).await == Some(200));
    }
    let connections = origin.connections();
    let observed = format!(
        "{connections} connections for {} requests, {succeeded} of 30 succeeded",
        origin.requests()
    );
    ("a retry of a small 502 keeps the connection", succeeded == 30 && connections <= 2, observed)
}
