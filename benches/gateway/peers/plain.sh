#!/usr/bin/env bash
# The plain proxy of axum and hyper-util, the least that a gateway of these libraries does.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

install() { :; } # run.sh builds it.
version() { sed -n '/^name = "hyper"$/{n;s/version = "\(.*\)"/hyper \1/p}' Cargo.lock; }
settings() {
  cat <<'TEXT'
`benches/gateway/src/bin/plain_proxy.rs`: an axum route and hyper-util's pooled client, without
retries, timeouts, logs and metrics. One worker thread.
TEXT
}

serve() {
  export TOKIO_WORKER_THREADS=1
  run "$PLAIN" "127.0.0.1:$PORT" "$ORIGIN"
}

main "$@"
