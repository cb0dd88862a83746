#!/usr/bin/env bash
# Writes benches/END_TO_END.md, the cost of a call over a socket.
#
# `results.sh --quick`: runs fewer rounds and prints only to stdout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

command -v valgrind >/dev/null || { echo 'results.sh: expected valgrind in PATH, found none' >&2; exit 1; }
quick=
[ "${1:-}" != --quick ] || quick=1

cargo build --quiet --release --package end_to_end
target=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Uses a copy, which a concurrent build cannot replace.
cp "$target/release/end_to_end" "$scratch"
bin=$scratch/end_to_end

version() { cargo tree --package end_to_end --depth 1 --prefix none | sed -n "s/^$1 v\([^ ]*\).*/\1/p" | head -1; }

# CLIENT CALLS: prints the instructions of the client thread and of the server thread.
count_instructions() {
  valgrind --tool=callgrind --separate-threads=yes --callgrind-out-file="$scratch/count" \
    "$bin" --client "$1" --calls "$2" --in-flight 1 >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; return 1; }
  sed -n 's/^totals: //p' "$scratch/count-01" "$scratch/count-02" | paste -s
}

# Counts each client with 1,000 and with 2,000 calls. The difference excludes the startup.
instructions() {
  local single double client
  "$bin" --list | while IFS=$'\t' read -r client base; do
    single=$(count_instructions "$client" 1000)
    double=$(count_instructions "$client" 2000)
    printf '%s\t%s\t%s\t%s\n' "$client" "$base" "$single" "$double"
  done | awk -F '\t' '
    BEGIN {
      print "| client | instructions of the client thread | over bare | times bare | of the server thread |"
      print "|---|--:|--:|--:|--:|"
    }
    {
      client = ($5 - $3) / 1000; server = ($6 - $4) / 1000
      if ($1 == $2) bare[$1] = client
      printf "| %s | %.0f | %.0f | %.3f | %.0f |\n", $1, client, client - bare[$2], client / bare[$2], server
    }'
}

if [ -n "$quick" ]; then
  taskset -c 0 "$bin" --rounds 31 --calls 200
  instructions
  exit
fi

{
  cat <<'TEXT'
# Cost of a call over a socket

`benches/end_to_end/results.sh` writes this file. It runs

```sh
taskset -c 0 target/release/end_to_end --rounds 301 --calls 200    # time, after cargo build --release --package end_to_end
```

and the same program under callgrind, with one client at a time.

TEXT
  echo "With $(rustc --version | cut -d' ' -f1-2), $(valgrind --version), hyper-util $(version hyper-util), reqwest $(version reqwest)," \
    "reqwest-middleware $(version reqwest-middleware), reqwest-retry $(version reqwest-retry), tokio $(version tokio)."
  cat <<'TEXT'

A hyper server on its own thread responds to each request with 200 and 39 bytes of JSON. All clients
share another thread. Both threads are pinned to one processor, because their placement would affect
the times more than the code under test. A time is therefore the complete work of a call, in client,
server and system. A request has three headers and no body, and the response is read completely. No
call fails. `benches/end_to_end/src/clients.rs` lists the clients and their settings.

Each round runs every client, in a new random order.

- *Times bare* is the ratio of the client's time to that of the bare client in the same round. The
  table shows its median, its quartiles, and the 95 % confidence interval of the median.
- *More than noise?* reports a difference only if this interval does not overlap that of the bare
  client compared with itself ("again").
- p50 and p99 are latencies of single calls in all rounds.
- *minimal* keeps a copy of the request and arms one timer (`benches/src/minimal.rs`). This is about
  the lower bound for a stack that can retry and has a timeout.

TEXT
  taskset -c 0 "$bin" --rounds 301 --calls 200
  cat <<'TEXT'
## Instructions

Instructions of one call with 1 in flight, in the program and its libraries. Instructions of the
kernel are not counted, so the counts have no noise.

TEXT
  instructions
} >benches/END_TO_END.md.new
mv benches/END_TO_END.md.new benches/END_TO_END.md
