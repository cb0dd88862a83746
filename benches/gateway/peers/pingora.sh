#!/usr/bin/env bash
# Pingora, from crates.io, in the small proxy of the folder pingora. lib.sh explains the functions.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

install() {
  # zlib-ng, on which pingora depends, is built with cmake.
  install_pypi cmake cmake==3.31.10
  PATH=$CACHE/cmake/bin:$PATH CARGO_TARGET_DIR=$CACHE/pingora \
    cargo build --quiet --release --locked --manifest-path benches/gateway/peers/pingora/Cargo.toml
}
version() { sed -n 's/^pingora-proxy = "=\(.*\)"/\1/p' benches/gateway/peers/pingora/Cargo.toml; }
settings() {
  cat <<'TEXT'
One thread. `benches/gateway/peers/pingora`, built as the gateway. A `GET` is retried once after
502, by an error of `upstream_response_filter`. The log is not buffered.
TEXT
}

serve() {
  local log=()
  [ -z "$LOG" ] || log=(--log "$LOG")
  run "$CACHE/pingora/release/pingora_peer" "127.0.0.1:$PORT" "$ORIGIN" --retry "${log[@]}"
}

main "$@"
