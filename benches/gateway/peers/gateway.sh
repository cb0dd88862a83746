#!/usr/bin/env bash
# The gateway with --upstream.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

install() { :; } # run.sh builds it.
version() { "$GATEWAY" --version | sed 's/.* //'; }
settings() {
  cat <<'TEXT'
`--upstream`, a release build with default settings: up to four retries, circuit breaker,
metrics. One worker thread. The log is on standard error.
TEXT
}

serve() {
  export TOKIO_WORKER_THREADS=${TOKIO_WORKER_THREADS:-1} RUST_LOG=off
  [ -z "$LOG" ] || { export RUST_LOG=info; exec 2>"$LOG"; }
  run "$GATEWAY" --listen "127.0.0.1:$PORT" --upstream "api=http://$ORIGIN"
}

main "$@"
