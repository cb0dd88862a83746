#!/usr/bin/env bash
# Writes benches/GATEWAY.md, the cost of a request through the gateway beside a plain proxy.
#
#   run.sh [OPTION...]            passes the options to gateway_bench, and prints only to stdout
#                                 if there are any
#   run.sh --failures PERCENT     counts the failures that reach the client, while the origin fails
#
# Environment variables:
#   BEFORE      an older build of the gateway, to compare with
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for program in valgrind taskset; do
  command -v "$program" >/dev/null || { echo "run.sh: expected $program in PATH, found none" >&2; exit 1; }
done

cargo build --quiet --release --package gateway_bench
cargo build --quiet --release --package seawall-gateway
target=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Uses copies, which a concurrent build cannot replace.
cp "$target"/release/{gateway_bench,plain_proxy,origin,seawall-gateway} "$scratch"

bench() {
  # The load generator and the origin share the last processor, and the proxies the first.
  taskset --cpu-list $(($(nproc) - 1)) "$scratch/gateway_bench" --cpu 0 \
    --gateway "$scratch/seawall-gateway" ${BEFORE:+--before "$BEFORE"} "$@"
}

version() { cargo tree --package gateway_bench --depth 1 --prefix none | sed -n "s/^$1 v\([^ ]*\).*/\1/p" | head -1; }

if [ $# -gt 0 ]; then
  bench "$@"
  exit
fi

{
  cat <<'TEXT'
# Cost of a request through the gateway

`benches/gateway/run.sh` writes this file.

TEXT
  echo "With $(rustc --version | cut -d' ' -f1-2), $(valgrind --version), axum $(version axum), hyper $(version hyper)," \
    "hyper-util $(version hyper-util), tokio $(version tokio)."
  cat <<'TEXT'

- *plain* is `benches/gateway/src/bin/plain_proxy.rs`: an axum route and hyper-util's pooled client,
  without retries, timeouts, logs and metrics.
- *gateway* is a release build with the default log level, which logs each request to `/dev/null`:
  once with `--upstream`, and once with a `--config` of one service with one upstream.
- *before* is the gateway before all services had one engine (commit `84d909c`), if `BEFORE` names a
  build of it.

The origin responds to each request with 200 and 200 bytes. A GET has no body, and a POST has 1 KiB
of JSON. 16 connections are kept alive, each with one request in flight. No request fails. All
proxies run at the same time, pinned to one processor, each with one worker thread. The load
generator and the origin share another processor.

*CPU time* is that of the process tree, in user mode and in the kernel (`clock_getcpuclockid`). Each of
30 rounds sends 8,000 requests through every proxy, in a new random order. *Times plain* and *times
before* are medians of the ratios by round, with the 95 % confidence interval of the median.

*Instructions* are those of the process without those of the kernel, from callgrind, with one request
in flight: the difference between 4,000 and 2,000 requests, for one request.
TEXT
  bench
} >benches/GATEWAY.md.new
mv benches/GATEWAY.md.new benches/GATEWAY.md
cat benches/GATEWAY.md
