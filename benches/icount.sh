#!/usr/bin/env bash
# Counts the instructions of one call with callgrind.
#
#   icount.sh [PATTERN]    prints key and instructions, separated by tabs, of each case that matches
#                          the extended regular expression
#   icount.sh --check      compares the complete stack with its limits below, exits 1 above a limit
#   icount.sh --report     prints the instructions that each layer adds, and writes INSTRUCTIONS.md
#
# callgrind counts only inside the function bench_counted, which runs after the warm-up.
#
# Environment variables:
#   CALLS       the number of counted calls
#   JOBS        the number of cases that run concurrently
#   FEATURES    features of dependencies to measure, such as tokio/rt-multi-thread
set -euo pipefail

CALLS=${CALLS:-2000}
JOBS=${JOBS:-$(nproc)}
export CALLS

# The seawall rows of the report: a GET without a subscriber, logging also with a subscriber, and
# all rows of the complete stack.
REPORTED=$'^seawall [^\t]*\tGET\t[^\t]*\tnone\t|^seawall Logging[^\t]*\tGET\tready\t(INFO|DEBUG)\t|^seawall (Standard|stack composed by ServiceBuilder)\t|^(seawall [^\t:]*|classifier): a [^\t]*\t'
# The peers' rows of the report.
PEERS=$'^(tower (Timeout|Retry|ConcurrencyLimit|LoadShed|client stack)|tower-http|tower-resilience|failsafe|recloser|stack:)[^\t]*\tGET\t[^\t]*\tnone\t|^tower-http Trace[^\t]*\tGET\tready\t(INFO|DEBUG)\t'

command -v valgrind >/dev/null || { echo 'icount.sh: expected valgrind in PATH, found none' >&2; exit 1; }

here=$(dirname "${BASH_SOURCE[0]}")
manifest=$here/Cargo.toml
file=$here/INSTRUCTIONS.md

# Uses a copy, which a concurrent build cannot replace.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ICOUNT=$scratch/icount
export ICOUNT

build() {
  cargo build --quiet --release --manifest-path "$manifest" --bin icount ${FEATURES:+--features "$FEATURES"}
  local target
  # CARGO_TARGET_DIR and cargo's configuration can change the target directory.
  target=$(cargo metadata --no-deps --format-version 1 --manifest-path "$manifest" |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
  cp "$target/release/icount" "$ICOUNT"
}

# CASE: prints the key and the instructions of a call.
count_case() {
  local log count
  log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*bench_counted*' \
    "$ICOUNT" "$1" "$CALLS" 2>&1) || { printf '%s\n' "$log" >&2; return 1; }
  count=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$log")
  [ "${count:-0}" -gt 0 ] || { echo "icount.sh: expected instructions of $1, found none" >&2; return 1; }
  awk -v key="$1" -v count="$count" -v calls="$CALLS" 'BEGIN { printf "%s\t%.1f\n", key, count / calls }'
}
export -f count_case

# Counts the cases listed on stdin concurrently and prints them in their order.
count() {
  rm -f "$scratch"/row.*
  nl -b a -n rz | tr '\n' '\0' |
    xargs -0 -P "$JOBS" -I{} bash -c 'count_case "${1#*$'"'\\t'"'}" >"$2/row.${1%%$'"'\\t'"'*}"' _ {} "$scratch"
  cat "$scratch"/row.*
}

# PATTERN: counts the matching cases and their bases, and prints the instructions over the base.
over_base() {
  "$ICOUNT" --list >"$scratch/list"
  grep -E -- "$1" "$scratch/list" >"$scratch/selected" || { echo "icount.sh: expected a case that matches $1, found none" >&2; return 1; }
  awk -F '\t' '
    NR == FNR { want[$1 "\t" $2 "\t" $3 "\t" $4]; want[$5 "\t" $2 "\t" $3 "\t" $4]; next }
    ($1 "\t" $2 "\t" $3 "\t" $4) in want { print $1 "\t" $2 "\t" $3 "\t" $4 }
  ' "$scratch/selected" "$scratch/list" | count >"$scratch/counts"
  awk -F '\t' '
    NR == FNR { count[$1 "\t" $2 "\t" $3 "\t" $4] = $5; next }
    {
      key = $1 "\t" $2 "\t" $3 "\t" $4
      base = $5 "\t" $2 "\t" $3 "\t" $4
      if (!(key in count) || !(base in count)) { print "icount.sh: not measured: " key >"/dev/stderr"; exit 1 }
      printf "%s\t%.0f\n", key, count[key] - count[base]
    }' "$scratch/counts" "$scratch/selected"
}

# RESPONSE MAX: fails if a GET through the complete stack takes more than MAX instructions over the
# base.
check_limit() {
  awk -F '\t' -v response="$1" -v max="$2" '
    $3 == response { found = 1; over = $5 }
    END {
      if (!found) { print "FAILED: not measured: seawall Standard, GET, " response; exit 1 }
      print (over <= max ? "ok" : "FAILED") ": seawall Standard, GET, " response ": " over " instructions over bare (limit " max ")"
      exit over > max
    }' "$scratch/over" || failed=1
}

report() {
  cat <<'TEXT'
# Instructions of a call

`just bench-instructions` writes this file with `benches/icount.sh --report`. It is a report, not a
gate. Only the complete stack has a limit, which `benches/icount.sh --check` enforces.

TEXT
  echo "With $(rustc --version | cut -d' ' -f1-2), $(valgrind --version)."
  cat <<'TEXT'

*Over base* is the number of instructions that a layer adds to the same call without the layer, or
that the classifier adds to a loop without a classifier. Builds of the same code differ by a few
instructions. [RESULTS.md](RESULTS.md) has all rows, with times, allocations and sizes.

| layer | request | response | subscriber | over base |
|---|---|---|---|--:|
TEXT
  awk -F '\t' '{ printf "| %s | %s | %s | %s | %d |\n", $1, $2, $3, $4, $5 }' "$scratch/over"
}

failed=0
case ${1:-} in
  --check)
    build
    over_base $'^seawall Standard\tGET\t[^\t]*\tnone\t' >"$scratch/over"
    # The goals are 2,100 and 2,800. Each of the nine layers moves the request, the future and the
    # response.
    check_limit ready 5100
    check_limit 'pending once' 6400
    exit "$failed"
    ;;
  --report)
    build
    over_base "$REPORTED|$PEERS" >"$scratch/over"
    report | tee "$scratch/report"
    cp "$scratch/report" "$file"
    ;;
  *)
    build
    "$ICOUNT" --list | cut -f1-4 | grep -E -- "${1:-.}" | count
    ;;
esac
