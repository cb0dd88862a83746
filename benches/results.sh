#!/usr/bin/env bash
# Runs all benchmarks and writes their results. Requires an otherwise idle machine.
#
#   benches/RESULTS.md       the table of `overhead`, with the instruction counts of `icount.sh`
#   benches/BEHAVIOUR.md     the table of `behaviour`
#   benches/END_TO_END.md    the tables of `end_to_end`, by its own script
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
benches/icount.sh >"$counts"
cargo build --quiet --release --package benches --bin overhead
version() { cargo tree --package benches --depth 1 --prefix none | sed -n "s/^$1 v\([^ ]*\).*/\1/p" | head -1; }
{
  cat <<'TEXT'
# Cost of a call

`benches/results.sh` writes this file. It runs

```sh
benches/icount.sh                                      # instructions, under callgrind
cargo run --release --package benches --bin overhead   # nanoseconds, allocations, sizes
```

TEXT
  echo "with $(rustc --version | cut -d' ' -f1-2), $(valgrind --version), tower $(version tower)," \
    "tower-http $(version tower-http), tokio $(version tokio), tracing $(version tracing)."
  cat <<'TEXT'

[END_TO_END.md](END_TO_END.md) has the cost over a socket. [PEERS.md](PEERS.md) has the same peers
in an independent harness.

## Definitions

- A *call* lasts from `poll_ready` to the end of the response body. The inner service responds at
  the first poll ("ready") or at the second poll ("pending once", as any network call).
- *Over base* is the cost that the layer adds.
- *Future* is the size of the complete response future in bytes.
- A *subscriber* formats all events at its level and discards the text. "no-op" ignores all events.

## Accuracy

- Instruction counts are equal in all runs of one build. They differ by a few percent between
  builds.
- Nanoseconds are medians of rounds that run all rows in turn, in one process. Differences below ten
  are caused by code layout, as "bare, again" shows.
- Rows with a subscriber run in a process of their own.

## Comparability

- From the outside in, the rows "stack: …" have the defaults of seawall's complete stack: a log, a
  body timeout, a call timeout, a retry with a budget, a breaker and an attempt timeout. Each peer
  has the settings that its documentation recommends, or its defaults. `benches/src/cases/stacks.rs`
  states the settings and the reasons.
- `seawall Retry` maintains a budget, a replay buffer and a report. `tower Retry` without a budget
  does not.
- `tower-http Trace` emits nothing at INFO by default. With "at INFO", it has a span and an event.

## Layers and stacks

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

`just bench-contention breakers` measures the nanoseconds of a call while one, two and four threads
use the same breaker.

- *own*: each thread has its own clone of the service.
- *cloned*: each thread clones its service for each call.
- Each time includes building the request and reading the response body, whose cost the row "bare"
  shows.
- Each thread is pinned to a core, and all threads start together. A run counts only if no thread
  was preempted.
- Threads preempt each other if they outnumber the cores. Such a run counts if it kept all cores
  busy, and its time is CPU time.
- The probes clone and drop shared `Arc`s or take a shared lock. They show the distance between the
  cores, so only rows of one table can be compared. See `benches/src/contention`.
- The mutex breaker only counts under a lock. tower-resilience has a window of calls, failsafe its
  default policy, and recloser a ring of 100. Only failsafe's window depends on time.
- tower-resilience's breaker never finishes if the threads outnumber the cores.

TEXT
  contention breakers
  cat <<'TEXT'

## Complete stacks on several threads

`just bench-contention stacks` measures the complete stack, its layers with shared state, and the
peers' stacks, with the settings of the first table.

TEXT
  contention stacks
  cat <<'TEXT'

## Complete stacks on several threads, pending once

`just bench-contention pending-stacks` measures the same stacks around a service that is pending
once.

TEXT
  contention pending-stacks
} >>benches/RESULTS.md

benches/end_to_end/results.sh

{
  cat <<'TEXT'
# Behavior when the upstream fails

`benches/results.sh` writes this file with the output of `cargo run --package behaviour`.

Retries use real sockets, in one run for seawall and its peers. All clients have their defaults,
except for the backoff, which is off if possible.

The verdict *user* means that the peer leaves the decision to the user.

Breakers run without sockets, with settings as similar as possible: they open on 5 failures of 10,
or on 5 consecutive failures, and then admit one probe.

TEXT
  cargo run --quiet --package behaviour
} >benches/BEHAVIOUR.md.new
mv benches/BEHAVIOUR.md.new benches/BEHAVIOUR.md
