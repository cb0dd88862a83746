use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use scripted_origin::{Origin, Script};
use tokio::time::Instant;

use crate::peers::{Body, Decides, Peer, Send};

/// What was looked at, whether it is as it should be, and what was seen.
pub(crate) type Seen = (&'static str, bool, String);

/// Each with what a peer must decide for it to be the peer's own doing.
pub(crate) async fn run(peer: &Peer) -> Vec<(Decides, Seen)> {
    use Decides::{How, HowAndWhat};

    vec![
        (How, retry_after(peer, "`Retry-After: 1` is waited for", "1").await),
        (How, retry_after(peer, "`Retry-After` as a date is waited for", &in_two_seconds()).await),
        (HowAndWhat, a_post_on_502(peer).await),
        (How, the_same_request(peer).await),
        (How, dead_upstream(peer).await),
        (How, keep_alive(peer).await),
    ]
}

async fn origin(script: Script) -> Origin {
    Origin::start(script).await.expect("a port of the loopback")
}

fn request(method: Method, origin: &Origin, body: Bytes) -> Request<Body> {
    let request = Request::builder().method(method).uri(format!("http://{}/", origin.addr()));
    request.body(Full::new(body)).expect("all parts are valid")
}

async fn get(send: &Send, origin: &Origin) -> Option<u16> {
    send(request(Method::GET, origin, Bytes::new())).await.ok()
}

/// Rounded down to the second before, so at least one from now.
fn in_two_seconds() -> String {
    #[allow(clippy::disallowed_methods, reason = "an HTTP-date is wall time")]
    let now = SystemTime::now();
    httpdate::fmt_http_date(now + Duration::from_secs(2))
}

async fn retry_after(peer: &Peer, what: &'static str, value: &str) -> Seen {
    // A handful in the whole run.
    let header: &'static str = format!("retry-after: {value}\r\n").leak();
    let origin = origin(Script::Once(503, header)).await;
    let started = Instant::now();
    let status = get(&(peer.make)(), &origin).await;
    let waited = started.elapsed().as_secs_f64();
    let answer = status.map_or_else(|| "an error".into(), |status| status.to_string());
    let seen = format!("{waited:.2} s, {} requests, {answer}", origin.requests());
    (what, status == Some(200) && waited >= 0.95, seen)
}

async fn a_post_on_502(peer: &Peer) -> Seen {
    let origin = origin(Script::Status(502)).await;
    let _ = (peer.make)()(request(Method::POST, &origin, Bytes::from("pay"))).await;
    let sent = origin.requests();
    ("a POST answered by 502 is sent once", sent == 1, format!("{sent} requests"))
}

async fn the_same_request(peer: &Peer) -> Seen {
    let origin = origin(Script::Once(503, "")).await;
    let body = Bytes::from(vec![b'x'; 1024]);
    let status = (peer.make)()(request(Method::PUT, &origin, body.clone())).await;
    let received = origin.received();
    let same = received.iter().all(|it| it.head == received[0].head && it.body == body);
    let seen = format!("{} requests, {}", received.len(), if same { "alike" } else { "different" });
    ("a PUT is sent again byte for byte", status == Ok(200) && received.len() == 2 && same, seen)
}

async fn dead_upstream(peer: &Peer) -> Seen {
    const CALLS: u32 = 1_000;
    let origin = origin(Script::Status(502)).await;
    let send = (peer.make)();
    for _ in 0..CALLS {
        get(&send, &origin).await;
    }
    let load = origin.requests() as f64 / f64::from(CALLS);
    let what = "1,000 calls to a dead upstream are at most 1,500 requests";
    (what, (1.01..1.5).contains(&load), format!("{load:.2} requests a call"))
}

async fn keep_alive(peer: &Peer) -> Seen {
    // Few enough for the three retries that every budget leaves.
    let origin = origin(Script::Flaky { every: 10 }).await;
    let send = (peer.make)();
    let mut well = 0;
    for _ in 0..30 {
        well += u32::from(get(&send, &origin).await == Some(200));
    }
    let connections = origin.connections();
    let seen =
        format!("{connections} connections for {} requests, {well} of 30 well", origin.requests());
    ("retrying a small 502 keeps the connection", well == 30 && connections <= 2, seen)
}
