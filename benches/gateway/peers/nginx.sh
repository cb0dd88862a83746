#!/usr/bin/env bash
# nginx, as a Debian package. lib.sh explains the functions.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

install() { install_debian 1.22.1 nginx-light nginx; }
version() { nginx -v 2>&1 | sed 's:.*nginx/::'; }
settings() {
  cat <<'TEXT'
One worker process. Upstream connections are kept alive (64). A `GET` is retried once after 502
and connection errors (`proxy_next_upstream`, the same server twice, as nginx does not repeat a
request to a server, `max_fails=0`). The log is not buffered, as by default. Callgrind counts a
single process (`master_process off`).
TEXT
}

serve() {
  mkdir -p "$FOLDER/temp"
  cat >"$FOLDER/nginx.conf" <<CONF
worker_processes 1;
master_process $([ -n "${WRAP:-}" ] && echo off || echo on);
daemon off;
pid $FOLDER/pid;
error_log $FOLDER/error.log;
events { worker_connections 4096; }
http {
  client_body_temp_path $FOLDER/temp/body;
  proxy_temp_path $FOLDER/temp/proxy;
  fastcgi_temp_path $FOLDER/temp/fastcgi;
  uwsgi_temp_path $FOLDER/temp/uwsgi;
  scgi_temp_path $FOLDER/temp/scgi;
  log_format bench '\$time_iso8601 \$request_method \$uri -> \$status in \$request_time';
  access_log $([ -n "$LOG" ] && echo "$LOG bench" || echo off);
  keepalive_requests 1000000000;
  upstream origin {
    server $ORIGIN max_fails=0;
    server $ORIGIN max_fails=0;
    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:$PORT backlog=4096;
    location /api/ {
      proxy_pass http://origin/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $ORIGIN;
      proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto \$scheme;
      proxy_next_upstream error timeout http_502;
      proxy_next_upstream_tries 2;
    }
  }
}
CONF
  run "$(command -v nginx)" -c "$FOLDER/nginx.conf" -p "$FOLDER"
}

main "$@"
