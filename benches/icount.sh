#!/usr/bin/env bash
# Instructions of one call, counted by callgrind.
#
#   icount.sh [PATTERN]    every case that matches the extended regular expression: its key, and instructions, by tabs
#   icount.sh --check      compares the whole stack with its ceilings (below); exits 1 if one is exceeded
#   icount.sh --report     prints the instructions that each layer of seawall and of the peers adds, and writes INSTRUCTIONS.md
#
# callgrind counts inside the function called bench_counted only, which is entered once all is set up and warm.
# CALLS: how many are counted. JOBS: how many cases run at once. FEATURES: of dependencies, to see what they cost, such as
# tokio/rt-multi-thread.
set -euo pipefail

CALLS=${CALLS:-2000}
JOBS=${JOBS:-$(nproc)}
export CALLS

# Rows of the report: seawall's, for a GET without a subscriber; of logging also with one; of the whole stack all there are.
REPORTED=$'^seawall [^\t]*\tGET\t[^\t]*\tnone\t|^seawall Logging[^\t]*\tGET\tready\t(INFO|DEBUG)\t|^seawall (Standard|stack composed by ServiceBuilder)\t|^(seawall [^\t:]*|classifier): a [^\t]*\t'
# And those of the peers.
PEERS=$'^(tower (Timeout|Retry|ConcurrencyLimit|LoadShed|client stack)|tower-http|tower-resilience|failsafe|recloser|stack:)[^\t]*\tGET\t[^\t]*\tnone\t|^tower-http Trace[^\t]*\tGET\tready\t(INFO|DEBUG)\t'

command -v valgrind >/dev/null || { echo 'icount.sh: needs valgrind' >&2; exit 1; }

here=$(dirname "${BASH_SOURCE[0]}")
manifest=$here/Cargo.toml
file=$here/INSTRUCTIONS.md

# A copy, so that a build at the same time does not change it half way.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ICOUNT=$scratch/icount
export ICOUNT

build() {
  cargo build --quiet --release --manifest-path "$manifest" --bin icount ${FEATURES:+--features "$FEATURES"}
  local target
  # Asked for, not guessed: CARGO_TARGET_DIR and cargo's configuration may put it anywhere.
  target=$(cargo metadata --no-deps --format-version 1 --manifest-path "$manifest" |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
  cp "$target/release/icount" "$ICOUNT"
}

# CASE: its key, and instructions of a call.
one() {
  local log count
  log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*bench_counted*' \
    "$ICOUNT" "$1" "$CALLS" 2>&1) || { printf '%s\n' "$log" >&2; return 1; }
  count=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$log")
  [ "${count:-0}" -gt 0 ] || { echo "icount.sh: callgrind collected nothing of: $1" >&2; return 1; }
  awk -v key="$1" -v count="$count" -v calls="$CALLS" 'BEGIN { printf "%s\t%.1f\n", key, count / calls }'
}
export -f one

# The cases listed on stdin, in their order, whichever is ready first.
count() {
  rm -f "$scratch"/row.*
  nl -b a -n rz | tr '\n' '\0' |
    xargs -0 -P "$JOBS" -I{} bash -c 'one "${1#*$'"'\\t'"'}" >"$2/row.${1%%$'"'\\t'"'*}"' _ {} "$scratch"
  cat "$scratch"/row.*
}

# Measures the listed cases that match PATTERN, and their bases: instructions over base, by tabs.
over_base() {
  "$ICOUNT" --list >"$scratch/list"
  grep -E -- "$1" "$scratch/list" >"$scratch/chosen" || { echo "icount.sh: no case matches $1" >&2; return 1; }
  awk -F '\t' '
    NR == FNR { want[$1 "\t" $2 "\t" $3 "\t" $4]; want[$5 "\t" $2 "\t" $3 "\t" $4]; next }
    ($1 "\t" $2 "\t" $3 "\t" $4) in want { print $1 "\t" $2 "\t" $3 "\t" $4 }
  ' "$scratch/chosen" "$scratch/list" | count >"$scratch/counts"
  awk -F '\t' '
    NR == FNR { count[$1 "\t" $2 "\t" $3 "\t" $4] = $5; next }
    {
      key = $1 "\t" $2 "\t" $3 "\t" $4
      base = $5 "\t" $2 "\t" $3 "\t" $4
      if (!(key in count) || !(base in count)) { print "icount.sh: not measured: " key >"/dev/stderr"; exit 1 }
      printf "%s\t%.0f\n", key, count[key] - count[base]
    }' "$scratch/counts" "$scratch/chosen"
}

# RESPONSE MAX: fails if a GET through the whole stack takes more than MAX instructions over bare.
ceiling() {
  awk -F '\t' -v response="$1" -v max="$2" '
    $3 == response { found = 1; over = $5 }
    END {
      if (!found) { print "FAILED: not measured: seawall Standard, GET, " response; exit 1 }
      print (over <= max ? "ok" : "FAILED") ": seawall Standard, GET, " response ": " over " instructions over bare, at most " max
      exit over > max
    }' "$scratch/over" || failed=1
}

report() {
  cat <<'TEXT'
# Instructions of a call

Made by `just bench-instructions`, which runs `benches/icount.sh --report`. A report, not a gate: only the whole stack has a
ceiling, which `benches/icount.sh --check` compares.

TEXT
  echo "With $(rustc --version | cut -d' ' -f1-2), $(valgrind --version)."
  cat <<'TEXT'

*Over base* is the number of instructions that a layer adds to the same call without it, or the classifier to no classifier.
Builds of the same code differ by a few instructions. [RESULTS.md](RESULTS.md) has all rows, and time, allocations and sizes.

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
    # The goal is 2,100 and 2,800. Each of the nine layers moves request, future and response.
    ceiling ready 5100
    ceiling 'pending once' 6400
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
