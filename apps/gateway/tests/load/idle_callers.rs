use std::io::Read;

use scripted_origin::{Origin, Script};

use crate::{gateway, open, read_status, resident_kib};

const CALLERS: usize = 2_000;

/// The memory of an idle connection, with some reserve.
const MAX_KIB_PER_CALLER: u64 = 32;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "opens 2,000 connections: ulimit -n 16384"]
async fn idle_callers_take_little_memory_and_are_closed() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let (gateway, _file) = gateway(&format!(
        "[server]\nidle_timeout = \"10s\"\n[[service]]\nname = \"a\"\nurl = \"http://{}\"\n",
        origin.addr()
    ));
    let get = b"GET /a/x HTTP/1.1\r\nhost: h\r\n\r\n";
    assert_eq!(read_status(&mut open(&gateway, get)), 200);
    let before = resident_kib(gateway.pid());
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let mut caller = open(&gateway, get);
        assert_eq!(read_status(&mut caller), 200);
        callers.push(caller);
    }
    let growth = resident_kib(gateway.pid()).saturating_sub(before);
    println!("{CALLERS} idle callers take {growth} KiB");
    assert!(growth < CALLERS as u64 * MAX_KIB_PER_CALLER, "{growth} KiB");
    for mut caller in callers {
        let mut rest = Vec::new();
        // Ends when the gateway closes the connection.
        caller.read_to_end(&mut rest).unwrap();
    }
    assert_eq!(read_status(&mut open(&gateway, get)), 200);
}
