use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use scripted_origin::{Origin, Script};

use crate::{gateway, open, read_status};

const RELOADS: usize = 400;

const CALLERS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes some seconds"]
async fn no_request_is_lost_during_400_reloads() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let config = |retries: usize| {
        format!(
            "[[service]]\nname = \"a\"\nurl = \"http://{}\"\n[service.policy]\nretries = {retries}\n",
            origin.addr()
        )
    };
    let (mut gateway, file) = gateway(&config(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let is_over = Arc::clone(&is_over);
            let get = b"GET /a/x HTTP/1.1\r\nhost: h\r\n\r\n";
            let mut stream = open(&gateway, b"");
            thread::spawn(move || {
                let mut count = 0;
                while !is_over.load(Ordering::Relaxed) {
                    std::io::Write::write_all(&mut stream, get).unwrap();
                    assert_eq!(read_status(&mut stream), 200);
                    count += 1;
                }
                count
            })
        })
        .collect();
    for number in 0..RELOADS {
        // Every reload replaces the service.
        std::fs::write(file.path(), config(number % 5)).unwrap();
        let line = gateway.signal_and_read_line("-HUP");
        assert!(line.starts_with("reloaded "), "{line}");
    }
    is_over.store(true, Ordering::Relaxed);
    let requests: usize = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
    println!("{requests} requests during {RELOADS} reloads");
    assert!(requests > CALLERS);
    assert_eq!(origin.requests(), requests as u64);
}
