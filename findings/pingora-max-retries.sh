#!/usr/bin/env bash
# pingora-proxy 0.9.1 with pingora-core 0.9.1 (crates.io), ServerConf::max_retries.
#
# Expected: "the maximum number of retries that will be attempted when an error is retry-able". So
#   0 turns retries off, and 1 permits a second attempt.
# Seen: the first attempt counts as a retry. 1 permits none, and 2 permits one. With 0 the proxy
#   makes no attempt at all: it closes each connection without a response, also if all upstreams
#   are well.
# Output, a proxy whose fail_to_connect sets retry, and takes another upstream for the retry:
#   max_retries 0: first upstream refuses: closed without an answer; is well: the same
#   max_retries 1: first upstream refuses: 502; is well: 200
#   max_retries 2: first upstream refuses: 200; is well: 200
# Consequence: a proxy with max_retries 1 has no failover, which no test without a fault shows. With
#   0, the usual value for "no retries", it serves nothing. The default of 16 means 15 retries.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
# zlib-ng, on which pingora depends, is built with cmake.
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install cmake==3.31.10; } >/dev/null 2>&1 || exit 77
mkdir "$tmp/src"
cat >"$tmp/Cargo.toml" <<'TOML'
[package]
name = "check"
version = "0.0.0"
edition = "2021"

[dependencies]
async-trait = "0.1"
pingora-core = "=0.9.1"
pingora-proxy = "=0.9.1"

[profile.dev]
debug = 0
TOML
cat >"$tmp/src/main.rs" <<'RS'
use async_trait::async_trait;
use pingora_core::server::{configuration::ServerConf, Server};
use pingora_core::{upstreams::peer::HttpPeer, Error, Result};
use pingora_proxy::{http_proxy_service, ProxyHttp, Session};

/// Takes the refused upstream first, and the good one for each retry.
struct Failover {
    refused: String,
    good: String,
}

#[async_trait]
impl ProxyHttp for Failover {
    type CTX = usize;

    fn new_ctx(&self) -> usize {
        0
    }

    async fn upstream_peer(&self, _: &mut Session, attempts: &mut usize) -> Result<Box<HttpPeer>> {
        *attempts += 1;
        let upstream = if *attempts == 1 { &self.refused } else { &self.good };
        Ok(Box::new(HttpPeer::new(upstream, false, String::new())))
    }

    fn fail_to_connect(&self, _: &mut Session, _: &HttpPeer, _: &mut usize, mut e: Box<Error>) -> Box<Error> {
        e.set_retry(true);
        e
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut conf = ServerConf::default();
    conf.max_retries = args[0].parse().unwrap();
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let proxy = Failover { refused: args[2].clone(), good: args[3].clone() };
    let mut service = http_proxy_service(&server.configuration, proxy);
    service.add_tcp(&args[1]);
    server.add_service(service);
    server.run_forever();
}
RS
PATH=$tmp/venv/bin:$PATH CARGO_TARGET_DIR=$tmp/target \
  cargo build --quiet --manifest-path "$tmp/Cargo.toml" >/dev/null 2>&1 || exit 77
cat >"$tmp/check.py" <<'PY'
import http.client, http.server, socket, subprocess, sys, threading, time

tmp = sys.argv[1]


class Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
threading.Thread(target=origin.serve_forever, daemon=True).start()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    try:
        return connection.getresponse().status
    except http.client.RemoteDisconnected:
        return "closed without an answer"


def measure(max_retries, first):
    port = free_port()
    good = f"127.0.0.1:{origin.server_port}"
    proxy = subprocess.Popen([f"{tmp}/target/debug/check", str(max_retries), f"127.0.0.1:{port}", first or good, good],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                return get(port)
            except ConnectionRefusedError:
                time.sleep(0.1)
    finally:
        proxy.kill()
        proxy.wait()


seen = []
for max_retries in (0, 1, 2):
    seen.append((measure(max_retries, f"127.0.0.1:{free_port()}"), measure(max_retries, None)))
    print(f"max_retries {max_retries}: first upstream refuses: {seen[-1][0]}; first upstream is well: {seen[-1][1]}")
sys.exit(0 if seen == [("closed without an answer",) * 2, (502, 200), (200, 200)] else 1)
PY
"$tmp/venv/bin/python" "$tmp/check.py" "$tmp"
