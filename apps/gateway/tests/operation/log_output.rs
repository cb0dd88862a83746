//! A log that is closed, full or not read.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    time::Duration,
};

use scripted_origin::{Origin, Script};

use tokio::time::Instant;

use crate::support::{gateway, get, send};

/// Ends a test that would otherwise hang.
const LIMIT: Duration = Duration::from_secs(60);

/// Starts a gateway whose log goes to `stderr`. Returns it, its URL, and the origin.
async fn start(stderr: impl Into<Stdio>) -> (Child, String, Origin) {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let upstream = format!("x=http://{}", origin.addr());
    let mut command =
        gateway(&["--listen", "127.0.0.1:0", "--upstream", &upstream, "--log", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    (child, url, origin)
}

/// Sends requests whose log lines have more than 4 KiB each. All must succeed.
async fn send_requests(url: &str, count: usize) {
    let url = format!("{url}/x/{}", "a".repeat(2_000));
    for _ in 0..count {
        let sent = tokio::time::timeout(LIMIT, send("GET", &url, &[]));
        assert_eq!(sent.await.expect("no request waits for the log").status(), 200);
    }
}

async fn dropped_lines(url: &str) -> u64 {
    let (_, _, metrics) = get(&format!("{url}/metrics"), &[]).await;
    let name = "seawall_gateway_log_lines_dropped_total ";
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)).expect(&metrics);
    value.parse().unwrap()
}

async fn wait_for_drops(url: &str) -> u64 {
    let started = Instant::now();
    loop {
        let dropped = dropped_lines(url).await;
        if dropped > 0 {
            return dropped;
        }
        assert!(started.elapsed() < LIMIT, "no line was lost");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn terminate(child: &mut Child) -> Option<i32> {
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    child.wait().unwrap().code()
}

/// The number of requests that fill the pipe and the buffer.
const MORE_THAN_BUFFERED: usize = 500;

#[tokio::test]
async fn requests_succeed_and_lost_lines_are_reported_when_log_is_not_read() {
    let (mut gateway, url, origin) = start(Stdio::piped()).await;
    send_requests(&url, MORE_THAN_BUFFERED).await;
    assert_eq!(origin.requests(), MORE_THAN_BUFFERED as u64);
    let dropped = wait_for_drops(&url).await;
    assert!(dropped < MORE_THAN_BUFFERED as u64, "{dropped}");
    let mut log = BufReader::new(gateway.stderr.take().unwrap()).lines();
    let report = format!("\"{dropped} lines of the log were lost: ");
    let reader =
        tokio::task::spawn_blocking(move || log.any(|line| line.unwrap().contains(&report)));
    assert!(reader.await.unwrap());
    assert_eq!(terminate(&mut gateway), Some(0));
}

#[tokio::test]
async fn end_does_not_wait_for_the_reader_when_log_is_not_read() {
    let (mut gateway, url, _origin) = start(Stdio::piped()).await;
    send_requests(&url, 100).await;
    assert_eq!(terminate(&mut gateway), Some(0));
}

#[tokio::test]
async fn requests_succeed_and_lost_lines_are_counted_when_log_is_closed() {
    let (mut gateway, url, origin) = start(Stdio::piped()).await;
    drop(gateway.stderr.take());
    send_requests(&url, 20).await;
    wait_for_drops(&url).await;
    assert_eq!(origin.requests(), 20);
    assert_eq!(terminate(&mut gateway), Some(0));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn requests_succeed_and_lost_lines_are_counted_when_disk_is_full() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (mut gateway, url, origin) = start(full).await;
    send_requests(&url, 20).await;
    wait_for_drops(&url).await;
    assert_eq!(origin.requests(), 20);
    let (_, _, status) = get(&format!("{url}/status"), &[]).await;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert!(status["log"]["dropped_lines"].as_u64().unwrap() > 0, "{status}");
    assert_eq!(terminate(&mut gateway), Some(0));
}

#[tokio::test]
async fn gateway_serves_when_standard_output_is_closed() {
    let mut command = gateway(&["--listen", "127.0.0.1:0", "--upstream", "x=http://127.0.0.1:1"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("dashboard at ") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0);
    }
    let url = line.trim().strip_prefix("dashboard at ").unwrap();
    assert_eq!(get(&format!("{url}@/health"), &[]).await.0, 200);
    assert_eq!(terminate(&mut child), Some(0));
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "draining\n");
}

#[test]
fn help_ends_with_0_when_standard_output_is_closed() {
    let mut child =
        gateway(&["--help"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[tokio::test]
async fn last_lines_are_written_when_gateway_ends() {
    let (mut gateway, url, _origin) = start(Stdio::piped()).await;
    send_requests(&url, 10).await;
    assert_eq!(terminate(&mut gateway), Some(0));
    let mut log = String::new();
    gateway.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(log.lines().filter(|line| line.contains("\"url.path\":\"/x/aaa")).count(), 10);
    assert!(log.lines().last().unwrap().contains("\"draining\""), "{log}");
}
