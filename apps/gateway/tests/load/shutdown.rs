use std::{thread, time::Duration};

use axum::{Router, routing::get};
use tokio::net::TcpListener;

use crate::{gateway, open, read_status};

const CALLERS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes some seconds"]
async fn requests_in_flight_complete_after_sigterm() {
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let respond = async move || {
        arrived.send(()).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        "ok"
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/x", get(respond));
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    let (gateway, _file) = gateway(&format!("[[service]]\nname = \"a\"\nurl = \"{url}\"\n"));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let mut stream = open(&gateway, b"GET /a/x HTTP/1.1\r\nhost: h\r\n\r\n");
            thread::spawn(move || read_status(&mut stream))
        })
        .collect();
    for _ in 0..CALLERS {
        arrivals.recv().await.unwrap();
    }
    let (code, log) = gateway.stop("-TERM");
    assert_eq!((code, log.as_str()), (Some(0), "draining\n"));
    for caller in callers {
        assert_eq!(caller.join().unwrap(), 200);
    }
}
