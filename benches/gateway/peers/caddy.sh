#!/usr/bin/env bash
# Caddy, as a Debian package. lib.sh explains the functions.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

install() { install_debian 2.6.2 caddy caddy; }
version() { caddy version | sed 's/^v//; s/ .*//'; }
settings() {
  cat <<'TEXT'
One thread that runs Go code (`GOMAXPROCS=1`). No admin API. Connection errors are retried once
(`lb_retries 1`); Caddy does not retry after a status. The log is JSON, from which a filter
deletes all other fields.
TEXT
}

log_directive() {
  [ -n "$LOG" ] || return 0
  cat <<CONF
  log {
    output file $LOG {
      roll_disabled
    }
    format filter {
      wrap json
      fields {
        request>remote_ip delete
        request>remote_port delete
        request>client_ip delete
        request>proto delete
        request>host delete
        request>headers delete
        user_id delete
        bytes_read delete
        size delete
        resp_headers delete
      }
    }
  }
CONF
}

serve() {
  cat >"$FOLDER/Caddyfile" <<CONF
{
  admin off
  auto_https off
}
http://127.0.0.1:$PORT {
  bind 127.0.0.1
$(log_directive)
  handle_path /api/* {
    reverse_proxy $ORIGIN {
      lb_retries 1
      header_up Host {upstream_hostport}
      transport http {
        keepalive_idle_conns_per_host 64
      }
    }
  }
}
CONF
  export GOMAXPROCS=1 XDG_DATA_HOME=$FOLDER XDG_CONFIG_HOME=$FOLDER
  run caddy run --adapter caddyfile --config "$FOLDER/Caddyfile"
}

main "$@"
