#!/usr/bin/env bash
# The gateway in front of an LLM API.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

install() { :; } # run.sh builds it.
version() { "$GATEWAY" --version | sed 's/.* //'; }
settings() {
  cat <<'TEXT'
`--config` of one service with `dialect = "openai"` and an API key, and the policy of
`apps/gateway/llm.toml`: `retries = 2`, `any_method = true`. One worker thread. No log.
TEXT
}

serve() {
  cat >"$FOLDER/gateway.toml" <<CONF
[policy]
retries = 2
any_method = true

[[service]]
name = "v1"
dialect = "openai"

[[service.upstream]]
url = "http://$ORIGIN/v1"
api_key_env = "BENCH_KEY"
CONF
  export TOKIO_WORKER_THREADS=1 RUST_LOG=off BENCH_KEY=key-of-the-origin
  run "$GATEWAY" --listen "127.0.0.1:$PORT" --config "$FOLDER/gateway.toml"
}

main "$@"
