#!/usr/bin/env bash
# Instructions of one call, counted by callgrind.
#
#   icount.sh [PATTERN]    every case that matches the extended regular expression: its key, and instructions, by tabs
#   icount.sh --check      compares what seawall adds to a call with instructions.tsv, and with what is promised (below);
#                          exits 1 if a row differs by more than 5 % and 8 instructions, either way, or a promise is broken
#   icount.sh --update     writes instructions.tsv anew, and shows what has changed; the promises are checked as well
#
# A row that has become cheaper fails as well, so that what was won cannot be lost again unnoticed. After a change that was
# meant, `icount.sh --update`, and the commit says why. Builds of the same code differ by a few instructions, hence the 8.
#
# callgrind counts inside the function called bench_counted only, which is entered once all is set up and warm.
# CALLS: how many are counted. JOBS: how many cases run at once. FEATURES: of dependencies, to see what they cost, such as
# tokio/rt-multi-thread.
set -euo pipefail

CALLS=${CALLS:-2000}
JOBS=${JOBS:-$(nproc)}
export CALLS

# What is kept in the file: seawall's own rows, for a GET, with nobody listening; of logging also what it costs when somebody
# does, and of the whole stack all there is.
KEPT=$'^seawall [^\t]*\tGET\t[^\t]*\tnone\t|^seawall Logging[^\t]*\tGET\tready\t(INFO|DEBUG)\t|^seawall Standard\t|^(seawall [^\t:]*|classifier): a [^\t]*\t'
TOLERANCE=0.05
FLOOR=8

command -v valgrind >/dev/null || { echo 'icount.sh: needs valgrind' >&2; exit 1; }

here=$(dirname "${BASH_SOURCE[0]}")
manifest=$here/Cargo.toml
file=$here/instructions.tsv

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

# What the kept rows add to their base, now.
over_base() {
  awk -F '\t' '
    NR == FNR { count[$1 "\t" $2 "\t" $3 "\t" $4] = $5; next }
    {
      key = $1 "\t" $2 "\t" $3 "\t" $4
      base = $5 "\t" $2 "\t" $3 "\t" $4
      if (!(key in count) || !(base in count)) { print "icount.sh: not measured: " key >"/dev/stderr"; exit 1 }
      printf "%s\t%.0f\n", key, count[key] - count[base]
    }' "$scratch/counts" "$scratch/kept"
}

# OLD NEW: says of each row in which they differ how, or, with nothing to say, that there is none.
compare() {
  awk -F '\t' -v tolerance="$TOLERANCE" -v floor="$FLOOR" '
    FNR == 1 && !/\t[-0-9]+$/ { next }
    { key = $1 ", " $2 ", " $3 ", " $4 }
    NR == FNR { was[key] = $5; next }
    {
      is[key] = $5
      if (!(key in was)) { print "new: " key ": " $5; bad = 1; next }
      allowed = tolerance * was[key]
      if (allowed < 0) allowed = -allowed
      if (allowed < floor) allowed = floor
      change = $5 - was[key]
      if (change > allowed) { print "dearer: " key ": " was[key] " -> " $5; bad = 1 }
      if (-change > allowed) { print "cheaper: " key ": " was[key] " -> " $5; bad = 1 }
    }
    END {
      for (key in was) if (!(key in is)) { print "gone: " key; bad = 1 }
      exit bad
    }' "$1" "$2"
}

# NAME BASE REQUEST RESPONSE LIMIT [SUBSCRIBER]: fails if NAME takes more than LIMIT over BASE.
promise() {
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
    }' "$scratch/counts" || failed=1
}

# What does not follow from the file: it may be made anew, this stands.
promises() {
  promise 'seawall Timeout' bare GET ready 160
  promise 'seawall Timeout' bare GET 'pending once' 700
  promise 'seawall Retry' bare GET ready 600
  # Around a service that the compiler puts in line it is less than 300: see PEERS.md, where that is measured.
  promise 'seawall CircuitBreaker' bare GET ready 340
  promise 'seawall Standard' bare GET ready 1500
  promise 'seawall BadGatewayClassifier' bare GET ready 125
  promise 'seawall Logging, client' bare GET ready 120
  promise 'seawall Logging, server' bare GET ready 120
  # A success that nobody wants to hear of, while failures would be heard.
  promise 'seawall Logging, client' bare GET ready 510 INFO
  promise 'classifier: a 200' 'classifier: nothing in its place' - - 19
  # No more than the cheapest peer. A success that is written: than the peer with its defaults, which need DEBUG to be seen.
  promise 'seawall Logging, server' 'tower-http Trace' GET ready 0 DEBUG
  promise 'seawall Logging, client' 'tower-http Trace' GET ready 0 DEBUG
  promise 'seawall Timeout' 'tower Timeout' GET ready 0
  promise 'seawall Retry, no budget' 'tower Retry, no budget' GET ready 0
  promise 'seawall BodyTimeout' 'tower-http ResponseBodyTimeout' GET ready 0
  promise 'seawall Standard' "stack: tower, tower-http, tower-resilience's breaker" GET ready 0
}

# What the promises are compared with, and is in no file.
PEERS=$'^(tower Timeout|tower Retry, no budget|tower-http ResponseBodyTimeout|stack: tower, tower-http, tower-resilience\'s breaker)\tGET\tready\tnone\t|^tower-http Trace\tGET\tready\tDEBUG\t'

# Measures what is kept, what that is compared with, and the bases of both.
measure() {
  build
  "$ICOUNT" --list >"$scratch/list"
  grep -E "$KEPT" "$scratch/list" >"$scratch/kept"
  {
    cat "$scratch/kept"
    grep -E "$PEERS" "$scratch/list"
  } | awk -F '\t' '
    NR == FNR { want[$1 "\t" $2 "\t" $3 "\t" $4]; want[$5 "\t" $2 "\t" $3 "\t" $4]; next }
    ($1 "\t" $2 "\t" $3 "\t" $4) in want { print $1 "\t" $2 "\t" $3 "\t" $4 }' - "$scratch/list" | count >"$scratch/counts"
  {
    printf 'row\trequest\tresponse\tsubscriber\tinstructions over base\n'
    over_base
  } >"$scratch/now"
}

failed=0
case ${1:-} in
  --check)
    measure
    promises
    if compare "$file" "$scratch/now"; then
      echo "ok: $(($(wc -l <"$file") - 1)) rows as in $file"
    else
      echo "FAILED: not as in $file; if that was meant: benches/icount.sh --update, and say why in the commit"
      failed=1
    fi
    exit "$failed"
    ;;
  --update)
    measure
    promises
    if [ -e "$file" ]; then compare "$file" "$scratch/now" || true; fi
    cp "$scratch/now" "$file"
    exit "$failed"
    ;;
  *)
    build
    "$ICOUNT" --list | cut -f1-4 | grep -E -- "${1:-.}" | count
    ;;
esac
