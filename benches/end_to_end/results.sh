#!/usr/bin/env bash
# Writes benches/END_TO_END.md: what a call costs over a socket. `results.sh --quick`: fewer rounds, to stdout only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

command -v valgrind >/dev/null || { echo 'results.sh: needs valgrind' >&2; exit 1; }
quick=
[ "${1:-}" != --quick ] || quick=1

cargo build --quiet --release --package end_to_end
target=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# A copy, so that a build at the same time does not change it half way.
cp "$target/release/end_to_end" "$scratch"
bin=$scratch/end_to_end

version() { cargo tree --package end_to_end --depth 1 --prefix none | sed -n "s/^$1 v\([^ ]*\).*/\1/p" | head -1; }

# CLIENT CALLS: instructions of the client's thread, and of the server's.
counted() {
  valgrind --tool=callgrind --separate-threads=yes --callgrind-out-file="$scratch/count" \
    "$bin" --client "$1" --calls "$2" --in-flight 1 >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; return 1; }
  sed -n 's/^totals: //p' "$scratch/count-01" "$scratch/count-02" | paste -s
}

# Once with twice as many calls: from the difference follows what a call takes.
instructions() {
  local once twice client
  "$bin" --list | while IFS=$'\t' read -r client base; do
    once=$(counted "$client" 1000)
    twice=$(counted "$client" 2000)
    printf '%s\t%s\t%s\t%s\n' "$client" "$base" "$once" "$twice"
  done | awk -F '\t' '
    BEGIN {
      print "| client | instructions of its thread | over bare | times bare | of the server'"'"'s thread |"
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
# What a call costs over a socket

Made by `benches/end_to_end/results.sh`, which runs

```sh
taskset -c 0 target/release/end_to_end --rounds 301 --calls 200    # time, after cargo build --release --package end_to_end
```

and the same program under callgrind, for one client at a time.

TEXT
  echo "With $(rustc --version | cut -d' ' -f1-2), $(valgrind --version), hyper-util $(version hyper-util), reqwest $(version reqwest)," \
    "reqwest-middleware $(version reqwest-middleware), reqwest-retry $(version reqwest-retry), tokio $(version tokio)."
  cat <<'TEXT'

A hyper server on a thread of its own answers each request on loopback with 200 and 39 bytes of JSON; all clients are on one
other thread. Both threads are on one processor, since where the system puts them otherwise decides more than what they run:
so a time is all the work of a call, that of client, server and system together. A request has three headers and no body; the
response is read to its end. Nothing fails. Who is measured, and with which settings, is in `benches/end_to_end/src/clients.rs`.

In each round every client has its turn, in an order shuffled anew. *Times bare* is its time divided by that of the same client
without anything around it in the same round: median, quartiles, and where the median would be of endlessly many rounds, with 95 %
confidence. *More than noise* is a difference only if that interval and the one of bare against itself ("again") have no value in
common. p50 and p99 are of single calls, in all rounds. *Floor* keeps a copy of the request and arms one timer, and does nothing
else: about the least that a stack which may send a request again, and has a limit, can cost (`benches/src/minimal.rs`).

TEXT
  taskset -c 0 "$bin" --rounds 301 --calls 200
  cat <<'TEXT'
## Instructions

Of one call, 1 in flight, in the program and its libraries, without those of the system: that is what can be counted without any
noise.

TEXT
  instructions
} >benches/END_TO_END.md.new
mv benches/END_TO_END.md.new benches/END_TO_END.md
