#!/usr/bin/env bash
# Instructions of one call, counted by callgrind.
#
#   icount.sh [PATTERN]    every case that matches the extended regular expression: its key, and instructions, by tabs
#   icount.sh --check      only what has a limit; exits 1 if one is passed
#
# callgrind counts inside the functions called bench_measured_* only. Each case runs twice, once with twice as many
# calls; from the difference follows what a call takes once everything is set up.
# CALLS: calls in the shorter run. JOBS: how many cases run at once.
set -euo pipefail

CALLS=${CALLS:-2000}
JOBS=${JOBS:-$(nproc)}
export CALLS

command -v valgrind >/dev/null || { echo 'icount.sh: needs valgrind' >&2; exit 1; }

manifest=$(dirname "${BASH_SOURCE[0]}")/Cargo.toml
cargo build --quiet --release --manifest-path "$manifest" --bin icount
# Asked for, not guessed: CARGO_TARGET_DIR and cargo's configuration may put it anywhere.
target=$(cargo metadata --no-deps --format-version 1 --manifest-path "$manifest" |
  sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')

# A copy, so that a build at the same time does not change it half way.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ICOUNT=$scratch/icount
export ICOUNT
cp "$target/release/icount" "$ICOUNT"

# CASE CALLS: what callgrind collected.
collected() {
  local log count
  log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*bench_measured_*' \
    "$ICOUNT" "$1" "$2" 2>&1) || { printf '%s\n' "$log" >&2; return 1; }
  count=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$log")
  [ "${count:-0}" -gt 0 ] || { echo "icount.sh: callgrind collected nothing of: $1" >&2; return 1; }
  echo "$count"
}

one() {
  local once twice
  once=$(collected "$1" "$CALLS") && twice=$(collected "$1" $((2 * CALLS))) || return 1
  awk -v key="$1" -v once="$once" -v twice="$twice" -v calls="$CALLS" \
    'BEGIN { printf "%s\t%.1f\n", key, (twice - once) / calls }'
}
export -f collected one

# In the order of the list, whichever is ready first.
count() {
  local list=$scratch/list
  "$ICOUNT" --list | grep -E -- "$1" >"$list"
  nl -b a -n rz "$list" | tr '\n' '\0' |
    xargs -0 -P "$JOBS" -I{} bash -c 'one "${1#*$'"'\\t'"'}" >"$2/row.${1%%$'"'\\t'"'*}"' _ {} "$scratch"
  cat "$scratch"/row.*
}

# NAME BASE REQUEST RESPONSE LIMIT [SUBSCRIBER]: fails if NAME takes more than LIMIT over BASE.
limit() {
  local rest=$3$'\t'$4$'\t'${6:-none}
  awk -F '\t' -v name="$1" -v base="$2" -v rest="$rest" -v limit="$5" '
    $2 "\t" $3 "\t" $4 == rest { count[$1] = $5 }
    END {
      if (!(name in count) || !(base in count)) { print "FAILED: not measured: " name; exit 1 }
      over = count[name] - count[base]
      what = name ", " rest ": " over " instructions over \"" base "\", at most " limit
      gsub("\t", ", ", what)
      print (over <= limit ? "ok: " : "FAILED: ") what
      exit over > limit
    }' "$scratch/counts"
}

if [ "${1:-}" != --check ]; then
  count "${1:-.}"
  exit
fi

count $'^(bare|seawall (Timeout(, by request)?|BodyTimeout|Deadline, inner layers not told|Retry(, keyed)?|CircuitBreaker(, keyed)?|Retry and CircuitBreaker, keyed|Standard|BadGatewayClassifier|ErrorResponse|Logging, (client|server(, only failures)?))|tower-http Trace)\tGET\t|^classifier: (nothing|a 200)' >"$scratch/counts"
failed=0
limit 'seawall Timeout' bare GET ready 160 || failed=1
limit 'seawall Timeout' bare GET 'pending once' 700 || failed=1
limit 'seawall Timeout, by request' bare GET ready 160 || failed=1
limit 'seawall BodyTimeout' bare GET ready 160 || failed=1
limit 'seawall Deadline, inner layers not told' bare GET ready 385 || failed=1
limit 'seawall Retry' bare GET ready 600 || failed=1
limit 'seawall CircuitBreaker' bare GET ready 350 || failed=1
# What a key costs where it is that of the call before.
limit 'seawall Retry, keyed' 'seawall Retry' GET ready 191 || failed=1
limit 'seawall CircuitBreaker, keyed' 'seawall CircuitBreaker' GET ready 124 || failed=1
limit 'seawall Retry and CircuitBreaker, keyed' bare GET ready 1350 || failed=1
limit 'seawall Standard' bare GET ready 2500 || failed=1
limit 'seawall BadGatewayClassifier' bare GET ready 125 || failed=1
limit 'seawall ErrorResponse' bare GET ready 258 || failed=1
limit 'seawall Logging, client' bare GET ready 98 || failed=1
limit 'seawall Logging, server' bare GET ready 98 || failed=1
# A success that nobody wants to hear of, while failures would be heard. "floor: keep what a log needs" takes 337.
limit 'seawall Logging, client' bare GET ready 544 INFO || failed=1
limit 'seawall Logging, server, only failures' bare GET ready 540 INFO || failed=1
# A success that is written: no slower than the peer with its defaults, which need DEBUG to be seen.
limit 'seawall Logging, server' 'tower-http Trace' GET ready 0 DEBUG || failed=1
limit 'seawall Logging, client' 'tower-http Trace' GET ready 0 DEBUG || failed=1
limit 'classifier: a 200' 'classifier: nothing in its place' - - 19 || failed=1
exit "$failed"
