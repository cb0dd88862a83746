#!/usr/bin/env bash
# The gateway of Portkey, from npm. lib.sh explains the functions.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

VERSION=1.15.2
package=$CACHE/portkey/node_modules/@portkey-ai/gateway

install() {
  [ "$(version 2>/dev/null)" != "$VERSION" ] || return 0
  mkdir -p "$CACHE/portkey"
  npm install --prefix "$CACHE/portkey" --silent --no-audit --no-fund --ignore-scripts "@portkey-ai/gateway@$VERSION"
}
version() { sed -n 's/^ *"version": "\(.*\)",/\1/p' "$package/package.json"; }
settings() {
  cat <<'TEXT'
One process of Node.js, `NODE_ENV=production`, `--headless`. Request headers:
`x-portkey-provider: openai`, `x-portkey-custom-host`, and `x-portkey-config` with two retries.
TEXT
}

serve() {
  export NODE_ENV=production
  run node "$package/build/start-server.js" --port="$PORT" --headless
}

main "$@"
