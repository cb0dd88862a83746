#!/usr/bin/env bash
# HAProxy, as a Debian package. lib.sh explains the functions.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

install() { install_debian 2.6.12 haproxy haproxy; }
version() { haproxy -v | sed -n 's/^HAProxy version \([0-9.]*\).*/\1/p'; }
settings() {
  cat <<'TEXT'
One thread (`nbthread 1`). `http-reuse always`. A request is retried once after 502 and
connection errors (`retries 1`, `retry-on conn-failure empty-response 502`), without a wait. The
log is written to standard output.
TEXT
}

serve() {
  cat >"$FOLDER/haproxy.cfg" <<CONF
global
  nbthread 1
  maxconn 4000
$([ -z "$LOG" ] || echo '  log stdout format raw local0')
defaults
  mode http
  timeout connect 10s
  timeout client 75s
  timeout server 10s
  http-reuse always
  option forwardfor
$([ -z "$LOG" ] || printf '%s\n' '  log global' '  log-format "%tr %HM %HP -> %ST in %Ta"')
frontend front
  bind 127.0.0.1:$PORT backlog 4096
  default_backend origin
backend origin
  retries 1
  retry-on conn-failure empty-response 502
  http-request disable-l7-retry unless METH_GET
  http-request set-path %[path,regsub(^/api,,)]
  http-request set-header X-Forwarded-Proto http
  server origin $ORIGIN
CONF
  [ -z "$LOG" ] || exec >"$LOG"
  run haproxy -db -f "$FOLDER/haproxy.cfg"
}

main "$@"
