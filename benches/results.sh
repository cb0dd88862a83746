#!/usr/bin/env bash
# Writes what has been measured: benches/RESULTS.md, the table of `overhead` with the instructions that `icount.sh` counts;
# benches/BEHAVIOUR.md; and, by its own script, benches/END_TO_END.md. On a machine that does nothing else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
benches/icount.sh >"$counts"
cargo build --quiet --release --package benches --bin overhead
version() { cargo tree --package benches --depth 1 --prefix none | sed -n "s/^$1 v\([^ ]*\).*/\1/p" | head -1; }
{
  cat <<'TEXT'
# What a call costs

Made by `benches/results.sh`, which runs

```sh
benches/icount.sh                                      # instructions, under callgrind
cargo run --release --package benches --bin overhead   # nanoseconds, allocations, sizes
```

TEXT
  echo "with $(rustc --version | cut -d' ' -f1-2), $(valgrind --version), tower $(version tower)," \
    "tower-http $(version tower-http), tokio $(version tokio), tracing $(version tracing)."
  cat <<'TEXT'

Over a socket: [END_TO_END.md](END_TO_END.md). The same peers in a harness that others wrote: [PEERS.md](PEERS.md).

A *call* goes from `poll_ready` to the end of the response's body, around a service that answers at once ("ready") or at
its second poll ("pending once", as any network call does). *Over base* is what the layer adds. The future's size is that
of the whole stack's response future. The subscriber is none, or one that formats all lines at INFO and throws them away.

How far to trust it: instructions are the same at each run of one build, and move by some percent between builds.
Nanoseconds are medians of rounds in which all rows take turns in one process; differences below ten are layout ("bare,
again" shows how much). Rows with a subscriber ran in a process of their own.

The rows "stack: …" have, from the outside in, what the whole stack has by default: a log, a limit for the body, one for the whole
call, a retry with a budget, a breaker, a limit for an attempt. Each peer has the settings that its documentation advises, or
its defaults; `benches/src/cases/stacks.rs` gives them with the reasons.

Read with care: `seawall Retry` keeps a budget, the body, and what happened, which `tower Retry` without a budget does
not; `tower-http Trace` writes nothing at INFO by default; "at INFO" it has a span and a line.

TEXT
  "$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/release/overhead" \
    --rounds 400 --icount "$counts"
} >benches/RESULTS.md.new
mv benches/RESULTS.md.new benches/RESULTS.md

cargo build --quiet --release --package benches --bin contention
contention() {
  "$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/release/contention" "$@"
}
{
  cat <<'TEXT'

## Breakers on several threads

`just bench-contention breakers`: nanoseconds of a call while one, two and four threads use the same breaker. *Own*: each thread
has its own clone of the service. *Cloned*: each thread clones its service for each call. The request is built inside, and the
response's body is read to its end; "bare" shows what both take.

Threads are pinned to a core each, and begin together. A run counts only if no thread was preempted. More threads than cores
preempt each other: such a run counts if it kept all cores busy, and its time is CPU time. The probes clone and drop shared
`Arc`s, or take a shared lock: they show how far apart the cores were, so only rows of one table can be compared. See
`benches/src/contention`.

The mutex breaker only counts under a lock. tower-resilience counts calls, failsafe has its default policy, recloser a ring of
100; of these only failsafe's window knows time. tower-resilience's breaker does not finish with more threads than cores.

TEXT
  contention breakers
  cat <<'TEXT'

## Whole stacks on several threads

`just bench-contention stacks`: the same of the whole stack, of the layers in it that share state, and of the peers' stacks that are
in the table above, with the settings there.

TEXT
  contention stacks
  cat <<'TEXT'

## Whole stacks on several threads, pending once

`just bench-contention pending-stacks`: the same around a service that is pending once.

TEXT
  contention pending-stacks
} >>benches/RESULTS.md

benches/end_to_end/results.sh

{
  cat <<'TEXT'
# Behavior when the upstream fails

Made by `benches/results.sh`, which runs `cargo run --package behaviour`: real sockets, seawall and its peers in one run,
with their defaults, but without backoff where that can be set.

*user*: the peer leaves the decision to its user, so the table has no verdict on it.

Breakers run without sockets and have the same settings as far as possible: open by 5 failures of 10, or by 5 consecutive
failures, then one probe.

TEXT
  cargo run --quiet --package behaviour
} >benches/BEHAVIOUR.md.new
mv benches/BEHAVIOUR.md.new benches/BEHAVIOUR.md
