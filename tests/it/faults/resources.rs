//! Local failures: the kernel denies a resource before the request is sent.

use std::{env, fs::File, future::ready, io, process::Stdio};

use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use seawall::{Cause, circuit_breaker::State, classify::classify_error, standard::StandardLayer};
use tokio::{
    net::{TcpListener, TcpStream},
    process::Command,
};
use tower::{Layer, ServiceExt, service_fn};

use super::{circuit_states, request, within_limit};
use crate::support::sockets::hyper_client;

/// Enough failures to open a circuit with default settings.
const CALLS: usize = 25;

/// The test runs itself in a child process, because the file descriptor limit applies to a whole
/// process.
#[tokio::test]
async fn circuit_stays_closed_when_file_descriptors_run_out() {
    const NAME: &str = "faults::resources::circuit_stays_closed_when_file_descriptors_run_out";
    const IS_CHILD: &str = "SEAWALL_OUT_OF_FILE_DESCRIPTORS";
    if env::var_os(IS_CHILD).is_some() {
        return call_without_file_descriptors().await;
    }
    let child = Command::new("sh")
        .args(["-c", "ulimit -n 64; exec \"$@\"", "sh"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", NAME, "--include-ignored", "--nocapture"])
        .env(IS_CHILD, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output = within_limit(child.wait_with_output()).await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

async fn call_without_file_descriptors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let layer = StandardLayer::new("billing");
    let client = layer.layer(hyper_client());
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    let mut causes = Vec::new();
    for _ in 0..CALLS {
        let error = client.clone().oneshot(request("POST", &url)).await.unwrap_err();
        causes.push(classify_error(&*error).cause());
    }
    drop(files);
    assert_eq!(
        (causes[0], circuit_states(&layer)),
        (Cause::ProxyInternalError, vec![State::Closed])
    );
}

/// Covers the other errors that the local kernel can return from `connect`.
#[tokio::test(start_paused = true)]
async fn circuit_stays_closed_when_local_resources_run_out() {
    // ENOMEM, ENFILE, EMFILE, ENOSPC, EPROTONOSUPPORT, EAFNOSUPPORT, EADDRINUSE, EADDRNOTAVAIL,
    // ENOBUFS.
    const ERRORS: [i32; 9] = [12, 23, 24, 28, 93, 97, 98, 99, 105];
    let mut outcomes = Vec::new();
    for number in ERRORS {
        let connector = service_fn(move |_: http::Uri| {
            ready(Err::<TokioIo<TcpStream>, _>(io::Error::from_raw_os_error(number)))
        });
        let layer = StandardLayer::new("billing");
        let client = layer.layer(Client::builder(TokioExecutor::new()).build(connector));
        let mut causes = Vec::new();
        for _ in 0..CALLS {
            let call = client.clone().oneshot(request("POST", "http://up.test/"));
            causes.push(classify_error(&*call.await.unwrap_err()).cause());
        }
        outcomes.push((number, causes[0], circuit_states(&layer)));
    }
    let expected = ERRORS.map(|number| (number, Cause::ProxyInternalError, vec![State::Closed]));
    assert_eq!(outcomes, expected);
}
