//! The number of connections and of file descriptors.

use std::{fs, time::Duration};

use scripted_origin::{Origin, Script};
use tokio::time::sleep;

use crate::{
    caller::{Caller, REQUEST},
    running::Running,
};

#[tokio::test]
async fn connection_waits_when_max_connections_are_open() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let mut gateway = Running::start("max_connections = 2", origin.addr());
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut caller = Caller::connect(gateway.address).await;
        caller.request().await;
        open.push(caller);
    }
    let mut waiting = Caller::connect(gateway.address).await;
    waiting.send(REQUEST).await;
    loop {
        if gateway.process.read_stderr_line().contains("max_connections reached") {
            break;
        }
    }
    for caller in &mut open {
        caller.request().await;
    }
    assert_eq!(waiting.0.try_read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    open.pop();
    waiting.read_until("ok").await;
}

#[tokio::test]
async fn gateway_logs_once_and_recovers_when_file_descriptors_run_out() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let script = "ulimit -n 64; exec \"$0\" \"$@\"";
    let mut gateway = Running::start_in_shell(script, "", origin.addr());
    let mut callers = Vec::new();
    for _ in 0..80 {
        callers.push(Caller::connect(gateway.address).await);
    }
    loop {
        if gateway.process.read_stderr_line().contains("out of file descriptors") {
            break;
        }
    }
    let before = cpu_ticks(gateway.process.pid());
    sleep(Duration::from_millis(700)).await;
    let used = cpu_ticks(gateway.process.pid()) - before;
    assert!(used < 20, "used {used} ticks of 10 ms while it could not accept");
    drop(callers);
    Caller::connect(gateway.address).await.request().await;
    let (code, stderr) = gateway.process.stop("-TERM");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("out of file descriptors"), "{stderr}");
}

/// Returns the CPU time of a process.
fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The fields after the name, which is in parentheses, start with the third.
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
