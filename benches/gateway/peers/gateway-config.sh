#!/usr/bin/env bash
# The gateway with --config, and one retry.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

install() { :; } # run.sh builds it.
version() { "$GATEWAY" --version | sed 's/.* //'; }
settings() {
  cat <<'TEXT'
`--config` of one service with one upstream and `retries = 1`. As *gateway* otherwise.
TEXT
}

serve() {
  cat >"$FOLDER/gateway.toml" <<CONF
[[service]]
name = "api"

[service.policy]
retries = 1

[[service.upstream]]
url = "http://$ORIGIN"
CONF
  export TOKIO_WORKER_THREADS=${TOKIO_WORKER_THREADS:-1} RUST_LOG=off
  [ -z "$LOG" ] || { export RUST_LOG=info; exec 2>"$LOG"; }
  run "$GATEWAY" --listen "127.0.0.1:$PORT" --config "$FOLDER/gateway.toml"
}

main "$@"
