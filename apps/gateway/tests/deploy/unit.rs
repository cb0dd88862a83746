//! The unit of systemd.

use std::{fs, process::Command};

use crate::{path, read, run};

const UNIT: &str = "deploy/seawall-gateway.service";

/// Returns the value of a setting of the unit.
fn setting(name: &str) -> String {
    let unit = read(UNIT);
    let line = unit.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.unwrap_or_else(|| panic!("expected {name}")).to_owned()
}

#[test]
#[ignore = "needs systemd-analyze"]
fn unit_passes_verification() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("seawall-gateway.service");
    // The program must exist.
    let text =
        read(UNIT).replace("/usr/local/bin/seawall-gateway", env!("CARGO_BIN_EXE_seawall-gateway"));
    fs::write(&copy, text).unwrap();
    let output = run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy));
    assert_eq!(output, "");
}

/// From 0, safest, to 100. A unit without settings has 96.
#[test]
#[ignore = "needs systemd-analyze"]
fn unit_is_hardened() {
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=yes", "--threshold=20", "--no-pager"]).arg(path(UNIT));
    run(&mut command);
}

#[test]
fn unit_stops_later_than_drain() {
    // The default of `drain_timeout` is 10 minutes.
    assert_eq!(setting("TimeoutStopSec"), "11min");
    assert_eq!(setting("KillSignal"), "SIGTERM");
    // Each connection of a caller may have one to an upstream, and idle ones come on top.
    assert!(setting("LimitNOFILE").parse::<u32>().unwrap() >= 3 * 10_000);
}

/// The command of the unit starts the gateway, and its reload signal does not end it.
#[tokio::test]
async fn command_of_unit_starts_and_reloads() {
    let config = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    fs::write(config.path(), "[[service]]\nname = \"a\"\nurl = \"http://127.0.0.1:1\"\n").unwrap();
    let command = setting("ExecStart")
        .replace("/etc/seawall-gateway/config.toml", config.path().to_str().unwrap())
        .replace("${LISTEN}", "127.0.0.1:0");
    let arguments: Vec<_> = command.split(' ').skip(1).collect();
    let gateway = crate::support::GatewayProcess::spawn(crate::support::gateway(&arguments));
    assert_eq!(setting("ExecReload"), "/bin/kill -HUP $MAINPID");
    gateway.signal("-HUP");
    assert_eq!(gateway.request("GET", "/@/ready").await.0, 200);
    assert_eq!(gateway.stop("-TERM").0, Some(0));
}
