#!/usr/bin/env bash
# Writes benches/GATEWAY.md, the cost of a request through the gateway beside other proxies.
#
#   run.sh                          runs all series, and writes benches/GATEWAY.md
#   run.sh SERIES... [OPTION...]    prints some series, and passes the options to gateway_bench
#
# Series: get-no-log get-log post-no-log instructions llm failures memory threads
#
# Environment variables:
#   GATEWAY     a release build of the gateway (default: builds one)
#   BEFORE      an older build of the gateway, to compare with
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

ALL=(get-no-log get-log post-no-log instructions llm failures memory threads)
PROXIES=(plain gateway gateway-config pingora nginx haproxy envoy caddy traefik)
LLM_PROXIES=(gateway-llm litellm portkey)
peers=$PWD/benches/gateway/peers

series=()
while [ $# -gt 0 ] && [[ $1 != -* ]]; do series+=("$1"); shift; done
written=
[ ${#series[@]} -gt 0 ] || [ $# -gt 0 ] || written=1
[ ${#series[@]} -gt 0 ] || series=("${ALL[@]}")

for program in valgrind taskset python3; do
  command -v "$program" >/dev/null || { echo "run.sh: expected $program in PATH, found none" >&2; exit 1; }
done
[ "$(nproc)" -ge 2 ] || { echo "run.sh: expected 2 processors, found $(nproc)" >&2; exit 1; }
# The series of memory opens 2,000 connections.
ulimit -n "$(ulimit -H -n)"

target=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
export CACHE=$target/gateway-peers
mkdir -p "$CACHE"
cargo build --quiet --release --package gateway_bench
if [ -z "${GATEWAY:-}" ]; then
  cargo build --quiet --release --package seawall-gateway
  GATEWAY=$target/release/seawall-gateway
fi

used=()
[ "${series[*]}" = llm ] || used+=("${PROXIES[@]}")
[[ " ${series[*]} " != *' llm '* ]] || used+=("${LLM_PROXIES[@]}")
for peer in "${used[@]}"; do
  echo "install $peer" >&2
  "$peers/$peer.sh" install >&2
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch" benches/GATEWAY.md.new' EXIT
# Uses copies, which a concurrent build cannot replace.
cp "$target"/release/{gateway_bench,plain_proxy,origin} "$scratch"
cp "$GATEWAY" "$scratch/seawall-gateway"
# The panics of gateway_bench are messages.
export RUST_BACKTRACE=0
export GATEWAY=$scratch/seawall-gateway PLAIN=$scratch/plain_proxy

bench() {
  local start=$SECONDS
  # The load generator and the origin share processor 1, and the proxies have processor 0.
  taskset --cpu-list 1 "$scratch/gateway_bench" "$1" --cpu 0 --peers "$peers" ${BEFORE:+--before} "${@:2}"
  echo "$1: $((SECONDS - start)) s" >&2
}

all_series() {
  local one
  for one in "${series[@]}"; do bench "$one" "$@"; done
}

settings() {
  local peer
  for peer in "${used[@]}"; do
    printf -- '- *%s* %s: %s\n' "$peer" "$("$peers/$peer.sh" version)" "$("$peers/$peer.sh" settings | tr '\n' ' ')"
  done | sed 's/ *$//' | fold -s -w 98 | sed 's/ *$//; /^- /!s/^/  /'
  # The commit of $BEFORE is not known.
  [ -z "${BEFORE:-}" ] || echo '- *before*: as *gateway*, an older build.'
}

if [ -z "$written" ]; then
  all_series "$@"
  exit
fi

{
  cat <<'TEXT'
# Cost of a request through the gateway

`benches/gateway/run.sh` writes this file. It installs the other proxies at pinned versions, from
crates.io, Debian, PyPI and npm.

TEXT
  echo "With $(rustc --version | cut -d' ' -f1-2), $(valgrind --version)."
  cat benches/gateway/method.md
  settings
  all_series
} >benches/GATEWAY.md.new
mv benches/GATEWAY.md.new benches/GATEWAY.md
cat benches/GATEWAY.md
