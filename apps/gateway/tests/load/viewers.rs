use scripted_origin::{Origin, Script};

use crate::{gateway, open, read_status, resident_kib};

const VIEWERS: usize = 1_000;

/// The documented maximum number of viewers of one address.
const ADMITTED: usize = 8;

const MAX_KIB_PER_VIEWER: u64 = 32;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "opens 1,000 connections: ulimit -n 16384"]
async fn viewers_above_limit_get_503_and_take_little_memory() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let (gateway, _file) =
        gateway(&format!("[[service]]\nname = \"a\"\nurl = \"http://{}\"\n", origin.addr()));
    let events = b"GET /@/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let before = resident_kib(gateway.pid());
    let mut viewers = Vec::new();
    let mut statuses = Vec::new();
    for _ in 0..VIEWERS {
        let mut viewer = open(&gateway, events);
        statuses.push(read_status(&mut viewer));
        viewers.push(viewer);
    }
    let admitted = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(admitted, ADMITTED);
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
    let growth = resident_kib(gateway.pid()).saturating_sub(before);
    println!("{VIEWERS} viewers take {growth} KiB");
    assert!(growth < VIEWERS as u64 * MAX_KIB_PER_VIEWER, "{growth} KiB");
}
