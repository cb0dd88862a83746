# Sourced by each peer, which runs in the folder of the repository. A peer defines these functions:
#
#   install    installs a pinned version, unless it is installed
#   version    prints the version
#   settings   prints the settings as Markdown
#   serve      proxies /api of $PORT to the root of $ORIGIN, and ends with `run PROGRAM...`
#
# Environment variables:
#   CACHE      folder of the installed programs
#   PORT       port of 127.0.0.1 to listen on
#   ORIGIN     host and port of the origin
#   FOLDER     empty folder for files of the process
#   LOG        file of the access log, or empty for none
#   FAILURES   1 if some responses of the origin are 502, else empty
#   WRAP       words before the program, for example valgrind
# shellcheck shell=bash
set -euo pipefail

export PATH=$PATH:/usr/sbin

# Replaces the shell, so that the process tree is that of the peer.
run() {
  local wrap
  read -ra wrap <<<"${WRAP:-}"
  exec "${wrap[@]}" "$@"
}

fail() { echo "${0##*/}: $*" >&2; exit 1; }

# VERSION PACKAGE COMMAND: installs a Debian package, whose archive has a single version.
install_debian() {
  local policy=/usr/sbin/policy-rc.d sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  if ! command -v "$3" >/dev/null; then
    # Debian would start the server.
    [ -e "$policy" ] || printf '#!/bin/sh\nexit 101\n' | $sudo install -m 755 /dev/stdin "$policy"
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
  fi
  [ "$(version)" = "$1" ] || fail "expected $2 $1, found $(version)"
}

# NAME REQUIREMENT...: installs PyPI packages into the virtual environment $CACHE/NAME.
install_pypi() {
  local venv=$CACHE/$1
  shift
  [ "$(cat "$venv/requirements" 2>/dev/null)" != "$*" ] || return 0
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --only-binary :all: "$@"
  echo "$*" >"$venv/requirements"
}

main() {
  case ${1:-} in
  install | version | settings | serve) "$1" ;;
  *) fail "expected install, version, settings or serve, found '${1:-}'" ;;
  esac
}
