#!/usr/bin/env bash
# An older build of the gateway, $BEFORE.
export GATEWAY=$BEFORE
exec "$(dirname "$0")/gateway.sh" "$@"
