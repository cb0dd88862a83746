//! Checks that a proxy forwards, and that it logs each request.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use tokio::time::sleep;

use super::{
    lab::Proxy,
    load::{Connections, Kind, Response},
    process::Process,
    subject::Subject,
};

/// The wait for a configuration that is loaded after the start, or for a buffer of a log.
const TIMEOUT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until the response through the proxy equals that of the origin.
///
/// # Panics
/// Panics if it does not, or if the proxy ends.
pub(crate) async fn wait_until_it_forwards(
    process: &mut Process,
    subject: Subject,
    address: SocketAddr,
    origin: SocketAddr,
) {
    let (kind, direct) = if subject.is_of_llm_apis() {
        (Kind::Chat, Kind::Chat)
    } else {
        (Kind::Echo, Kind::EchoDirect)
    };
    let expected = response(origin, origin, direct).await.expect("a response of the origin");
    let mut found = None;
    for _ in 0..TIMEOUT.as_millis() / PAUSE.as_millis() {
        process.assert_running();
        found = response(address, origin, kind).await.map(|found| content(&found, kind));
        if found.as_ref() == Some(&content(&expected, kind)) {
            return;
        }
        sleep(PAUSE).await;
    }
    panic!("expected {} to forward, found {found:?}\n{}", subject.name(), process.standard_error());
}

/// Returns the response, or nothing if the connection closed.
async fn response(address: SocketAddr, origin: SocketAddr, kind: Kind) -> Option<Response> {
    Connections::open(address, origin, 1).await.send_once(kind).await
}

/// Returns what must be equal. An LLM proxy may write the JSON of the origin in another order.
fn content(response: &Response, kind: Kind) -> String {
    let text = String::from_utf8_lossy(&response.body);
    if kind != Kind::Chat {
        return format!("{} {text}", response.status);
    }
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let fields = ["/choices/0/message/content", "/usage/total_tokens"].map(|it| json.pointer(it));
    if fields.contains(&None) {
        return format!("{} {text}", response.status);
    }
    format!("{} {fields:?}", response.status)
}

/// Stops the proxy, and compares the number of lines in its log with that of the requests.
///
/// # Panics
/// Panics if they differ.
pub(crate) async fn lines_of_log(proxy: Proxy, requests: usize) {
    let log = proxy.log.as_deref().expect("a log");
    let mut lines = 0;
    for _ in 0..TIMEOUT.as_millis() / PAUSE.as_millis() {
        lines = count_lines(log);
        if lines >= requests {
            break;
        }
        sleep(PAUSE).await;
    }
    assert_eq!(lines, requests, "expected a line per request in the log of {}", proxy.name);
}

/// Counts the lines of the requests that are sent in rounds.
fn count_lines(log: &Path) -> usize {
    let log = fs::read(log).expect("a log");
    let path = b"/api/users/42";
    log.split(|&byte| byte == b'\n')
        .filter(|line| line.windows(path.len()).any(|window| window == path))
        .count()
}
