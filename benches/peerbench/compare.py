#!/usr/bin/env python3
"""Writes benches/PEERS.md, which compares the rows of `benches` with those of an independent harness.

    compare.py DIRECTORY [--timed]

DIRECTORY: the harness, called peerbench. The script copies it and adds seawall's rows to the copy.
--timed: also runs the harness's benchmarks of threads and sockets, which require an otherwise idle machine.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# Rows of the harness, each with the equivalent row of `benches`.
SAME = [
    ("floor: lazy Sleep (inner polled first)", "minimal: lazy Sleep"),
    ("tower 0.5 Timeout", "tower Timeout"),
    ("tower-http 0.7 Timeout", "tower-http Timeout"),
    ("floor: clone request, drop it", "minimal: keep a copy of the request"),
    ("tower 0.5 Retry (no budget)", "tower Retry, no budget"),
    ("tower 0.5 Retry + TpsBudget", "tower Retry, TpsBudget"),
    ("tower-resilience 0.14 Retry (no budget)", "tower-resilience Retry"),
    ("tower-resilience 0.14 Retry + token bucket", "tower-resilience Retry, token bucket"),
    ("tower 0.5 map_result 502->Err", "tower MapResult"),
    ("tower-resilience 0.14 CircuitBreaker (count 100)", "tower-resilience CircuitBreaker"),
    ("failsafe 1.3 (default policy)", "failsafe"),
    ("failsafe 1.3 (consecutive failures)", "failsafe, consecutive failures"),
    ("recloser 1.4 (default, ring 100)", "recloser"),
    ("tower 0.5 ConcurrencyLimit", "tower ConcurrencyLimit"),
    ("tower-http 0.7 Trace (defaults, DEBUG)", "tower-http Trace"),
    ("stack tower+tower-http, no breaker", "stack: tower, tower-http, no breaker, no body timeout"),
    (
        "stack tower+tower-http+tr-breaker",
        "stack: tower, tower-http, tower-resilience's breaker, no body timeout",
    ),
    (
        "stack tower-resilience (trace from tower-http)",
        "stack: tower-resilience, log by tower-http, no budget, no body timeout",
    ),
    ("seawall Timeout", "seawall Timeout"),
    ("seawall BodyTimeout", "seawall BodyTimeout"),
    ("seawall Retry", "seawall Retry"),
    ("seawall Retry, no budget", "seawall Retry, no budget"),
    ("seawall CircuitBreaker", "seawall CircuitBreaker"),
    ("seawall CircuitBreaker, consecutive failures", "seawall CircuitBreaker, consecutive failures"),
    ("seawall CircuitBreaker, per key", "seawall CircuitBreaker, per key"),
    ("seawall BadGatewayClassifier", "seawall BadGatewayClassifier"),
    ("seawall InFlightLimit", "seawall InFlightLimit"),
    ("seawall InFlightLimit, to the response", "seawall InFlightLimit, until the response"),
    ("seawall Logging, client", "seawall Logging, client"),
    ("stack seawall, no body timeout", "seawall Standard, no body timeout"),
    ("stack seawall", "seawall Standard"),
]

INNER = {"ready": "ready", "pend": "pending once"}

# The rows of three further runs on two threads, with floors that show the distance between the cores.
SEAWALL, PEER = "seawall CircuitBreaker", "tower-resilience 0.14 CircuitBreaker (count 100)"
FURTHER = ["bare", "floor: Arc clone only", "floor: one atomic word", SEAWALL, PEER]

# The changes that add seawall's rows to the copy: file, old text, new text.
CHANGES = [
    ("Cargo.toml", "[features]", '[dependencies.seawall]\npath = "{root}"\nfeatures = ["hyper-util"]\n\n[features]'),
    # seawall's retry changes the body type, whereas the inner services accept only one type.
    ("src/lib.rs", "impl Service<Req> for ReadySvc", "impl<B> Service<http::Request<B>> for ReadySvc"),
    ("src/lib.rs", "impl Service<Req> for PendSvc", "impl<B> Service<http::Request<B>> for PendSvc"),
    ("src/lib.rs", "fn call(&mut self, req: Req)", "fn call(&mut self, req: http::Request<B>)"),
    ("src/lib.rs", "fn answer(req: Req)", "fn answer<B>(req: http::Request<B>)"),
    (
        "src/lib.rs",
        "    peers::stacks::register(&mut v);",
        "    peers::stacks::register(&mut v);\n    peers::ours::register(&mut v);",
    ),
    ("src/peers/mod.rs", "pub mod stacks;", "pub mod ours;\npub mod ours_breaker;\npub mod stacks;"),
    (
        "src/bin/contention.rs",
        '        job("bare", ReadySvc),',
        '        job("bare", ReadySvc),\n'
        '        job("seawall CircuitBreaker", ours::breaker(ReadySvc)),',
    ),
    (
        "src/clients.rs",
        '        c("reqwest 0.13"',
        '        c("hyper + seawall StandardLayer", true, ours::client, None),\n        c("reqwest 0.13"',
    ),
    (
        "src/breakers.rs",
        '        BreakerPeer { name: "recloser 1.4", make: recloser },',
        '        BreakerPeer { name: "recloser 1.4", make: recloser },\n'
        '        BreakerPeer { name: "seawall, ratio and 5 consecutive failures", make: ours::ratio_and_consecutive },\n'
        '        BreakerPeer { name: "seawall, 5 consecutive failures", make: ours::consecutive },\n'
        # The harness recognizes a time window by this name.
        '        BreakerPeer { name: "seawall, ratio alone: success_rate(0.5, 10, 1 s)", make: ours::ratio },',
    ),
    ("src/breakers.rs", "use std::sync::Arc;", "use crate::peers::ours_breaker as ours;\nuse std::sync::Arc;"),
    (
        "src/bin/behaviour.rs",
        "    retry_probes().await;",
        '    if has("--breakers") {\n        return breaker_probes().await;\n    }\n    retry_probes().await;',
    ),
]


def run(*command, cwd=ROOT, **environment):
    environment = os.environ | environment
    result = subprocess.run(command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE)
    if result.returncode != 0:
        sys.exit(f"compare.py: failed: {' '.join(map(str, command))}")
    return result.stdout


def rows(text):
    return [line.split("\t") for line in text.splitlines()]


def pattern(names):
    return "(" + "|".join(re.sub(r"([][()+.?*|])", r"\\\1", name) for name in names) + ")"


def copy_harness(harness):
    """Creates a copy with seawall's rows. The copy is kept, which speeds up the next build."""
    copy = Path(tempfile.gettempdir()) / "seawall-peerbench"
    for name in ["src", "icount.sh", "Cargo.toml"]:
        source, target = Path(harness) / name, copy / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, copy_function=shutil.copyfile)
            target.chmod(0o755)
            for path in target.rglob("*"):
                path.chmod(0o755 if path.is_dir() else 0o644)
        else:
            copy.mkdir(exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copyfile(source, target)
    (copy / "icount.sh").chmod(0o755)
    for name, old, new in CHANGES:
        path = copy / name
        text = path.read_text()
        if old not in text:
            sys.exit(f"compare.py: expected {old!r} in {name}, found none")
        path.write_text(text.replace(old, new.replace("{root}", str(ROOT))))
    for name in ["ours.rs", "ours_breaker.rs"]:
        shutil.copyfile(HERE / name, copy / "src/peers" / name)
    # Both harnesses use the same versions.
    shutil.copyfile(ROOT / "Cargo.lock", copy / "Cargo.lock")
    return copy


class Row:
    """The measurements of a row. All but the size of the future are differences to bare."""

    def __init__(self, instructions, ns, allocations, allocated_bytes, future):
        self.instructions, self.ns, self.future = instructions, ns, future
        self.allocations, self.bytes = allocations, allocated_bytes


def measure_harness(copy):
    """Returns the rows of the harness, and the instructions of bare."""
    names = pattern(["bare", *(name for name, _ in SAME)])
    run("./icount.sh", "results/icount.tsv", f"\t{names}\tget\t(ready|pend)\tnone$", cwd=copy)
    # group name kind inner mode instructions over_bare
    table = rows((copy / "results/icount.tsv").read_text())[1:]
    instructions = {(r[1], r[3]): float(r[5]) for r in table}
    counts = {(r[1], r[3]): float(r[6]) for r in table}
    run("cargo", "build", "--release", "--quiet", "--bin", "overhead", cwd=copy)
    # group name kind inner mode ns_min ns_median allocations bytes future service
    table = rows(run("./target/release/overhead", "--child", "none", "--rounds", "400", cwd=copy))
    bare = {r[3]: float(r[6]) for r in table if r[1:3] == ["bare", "get"]}
    measured = {
        (r[1], INNER[r[3]]): Row(counts[r[1], r[3]], float(r[6]) - bare[r[3]], r[7], r[8], r[9])
        for r in table
        if r[2] == "get" and (r[1], r[3]) in counts
    }
    return measured, instructions["bare", "ready"]


def measure_benches():
    """Returns the equivalent rows of `benches`, and the instructions of bare."""
    names = pattern(["bare", *(name for _, name in SAME)])
    table = rows(run("benches/icount.sh", f"^{names}\tGET\t(ready|pending once)\tnone$"))
    counts = {(r[0], r[2]): float(r[4]) for r in table}
    run("cargo", "build", "--release", "--quiet", "--package", "benches", "--bin", "overhead")
    metadata = json.loads(run("cargo", "metadata", "--no-deps", "--format-version", "1"))
    overhead = f"{metadata['target_directory']}/release/overhead"
    # row request response subscriber ns ns_over ratio allocations bytes future
    table = rows(run(overhead, "--child", "none", "--rounds", "400"))
    measured = {
        (r[0], r[2]): Row(counts[r[0], r[2]] - counts["bare", r[2]], float(r[5]), r[7], r[8], r[9])
        for r in table
        if r[1] == "GET" and (r[0], r[2]) in counts
    }
    return measured, counts["bare", "ready"]


def count_with_harness_features():
    """Returns the instructions over bare in `benches`, with the tokio features of the harness."""
    names = pattern(["bare", *(name for _, name in SAME)])
    table = rows(
        run("benches/icount.sh", f"^{names}\tGET\t(ready|pending once)\tnone$", FEATURES="tokio/rt-multi-thread")
    )
    counts = {(r[0], r[2]): float(r[4]) for r in table}
    return {key: count - counts["bare", key[1]] for key, count in counts.items()}


def number(text):
    return f"{float(text):.1f}".removesuffix(".0")


def comparison_table(harness_rows, benches_rows, adjusted, names):
    yield (
        "| row | response | instructions, harness | benches | benches, same features | remaining difference "
        "| ns, harness | benches | allocations, harness | benches | future, harness | benches |"
    )
    yield "|---|---|" + "--:|" * 10
    for name, same in names:
        for inner in INNER.values():
            a, b, adjusted_count = harness_rows[name, inner], benches_rows[same, inner], adjusted[same, inner]
            yield (
                f"| {same} | {inner} | {a.instructions:.0f} | {b.instructions:.0f} | {adjusted_count:.0f} "
                f"| {adjusted_count - a.instructions:+.0f} | {a.ns:.0f} | {b.ns:.0f} "
                f"| {number(a.allocations)} | {number(b.allocations)} | {a.future} | {b.future} |"
            )
    yield ""


def stack_table(harness_rows):
    yield "| stack | response | instructions over bare | ns over bare | allocations | bytes | future |"
    yield "|---|---|" + "--:|" * 5
    for (name, inner), row in harness_rows.items():
        if name.startswith("stack"):
            yield (
                f"| {name} | {inner} | {row.instructions:.0f} | {row.ns:.0f} | {number(row.allocations)} "
                f"| {row.bytes} | {row.future} |"
            )
    yield ""


def as_table(text):
    """Converts a table of the harness, with columns separated by tabs, to Markdown."""
    lines = [line.split("\t") for line in text.split("\n\n")[0].splitlines()]
    yield "| " + " | ".join(lines[0]) + " |"
    yield "|---|" + "--:|" * (len(lines[0]) - 1)
    for line in lines[1:]:
        yield "| " + " | ".join(line) + " |"
    yield ""


def output(copy, binary, *arguments):
    run("cargo", "build", "--release", "--quiet", "--bin", binary, cwd=copy)
    pinned = ["taskset", "-c", "0"] if binary == "e2e" else []
    return run(*pinned, f"./target/release/{binary}", *arguments, cwd=copy)


def breaker_table(copy):
    """Yields the verdicts on each breaker. Exits with an error if a breaker of seawall fails."""
    # probe peer verdict detail
    table = [r for r in rows(output(copy, "behaviour", "--breakers"))[1:] if r[0][0] in "fghi"]
    results = {(r[0], r[1]): r[2:] for r in table}
    probes, names = sorted({r[0] for r in table}), list(dict.fromkeys(r[1] for r in table))
    if {probe[0] for probe in probes} != set("fghi"):
        sys.exit(f"compare.py: expected the probes f, g, h and i, found {probes}")
    for (probe, name), (verdict, detail) in results.items():
        # A ratio alone gets no verdict on h, because the result depends on the number of successes in the window.
        expected = "INFO" if probe[0] == "h" and "success_rate" in name else "PASS"
        if name.startswith("seawall") and verdict != expected:
            sys.exit(f"compare.py: {name}: {verdict}: {probe}: {detail}")
    cell_formats = {"PASS": "pass", "FAIL": "**fail**: {}", "INFO": "{}"}
    yield "| probe | " + " | ".join(names) + " |"
    yield "|---|" + "---|" * len(names)
    for probe in probes:
        verdicts = (results[probe, name] for name in names)
        cells = [cell_formats[verdict].format(detail) for verdict, detail in verdicts]
        yield f"| {probe} | " + " | ".join(cells) + " |"
    yield ""


def thread_tables(copy):
    """Yields the times of breakers on one and two threads, in several runs, which differ for two threads."""
    clock = run("cargo", "run", "--quiet", "--release", "--package", "benches", "--bin", "contention", "breakers", "1")
    yield clock.splitlines()[0] + "\n"
    first, *further = (output(copy, "contention").split("\n\n")[0] for _ in range(4))
    yield from as_table(first)
    # name ns1_min ns1_median ns2_min ns2_median ...
    further = [{r[0]: (int(r[2]), int(r[4])) for r in rows(table)[1:]} for table in further]
    yield "Three further runs, medians: ns on one thread / on two.\n"
    yield "| name | first | second | third |"
    yield "|---|--:|--:|--:|"
    for name in FURTHER:
        yield f"| {name} | " + " | ".join("{} / {}".format(*medians[name]) for medians in further) + " |"
    times = ([peer / seawall for peer, seawall in zip(it[PEER], it[SEAWALL])] for it in further)
    yield f"| {PEER} ÷ {SEAWALL} | " + " | ".join("{:.1f} / {:.1f}".format(*it) for it in times) + " |"
    yield ""


HEAD = """\
# Peers in an independent harness

`benches/peerbench/compare.py` writes this file. It copies an independently written harness of the
peers, adds seawall to the copy (`benches/peerbench/ours.rs`), and runs both the copy and the
equivalent rows of `benches`. Both use the same versions of all crates, so a mistake in either
harness would be visible. Each row is a GET without headers and without a subscriber. It shows the
cost that the layer adds to bare, and the size of the complete future.
"""

DIFFERENCES = """\
Differences between the harnesses, and their causes:

- The harness enables all features of tokio, whereas `benches` enables only those it needs. With
  `rt-multi-thread`, tokio has two schedulers, so a timer is 16 bytes larger and more expensive. The
  column *benches, same features* has that feature, counted by `FEATURES=tokio/rt-multi-thread
  benches/icount.sh`. The next column is the remaining difference.
- In the harness, the compiler inlines the inner service if there is no layer, and usually calls it
  if there is one. In `benches`, it calls the service in both cases. Therefore bare is cheaper in
  the harness ({harness:.0f} instructions, {benches:.0f} in `benches`), and layers are more
  expensive by the same amount. Some seawall layers are inlined with the service and cost less in
  the harness: the classifier almost nothing, the breaker 25 % less.
- In `benches`, the inner service reads the complete request body. In the harness, it drops the
  body.
- The floors have different code.
- The nanoseconds come from two processes of separate builds, so their differences mean little.
"""

BREAKERS = """\
## Behavior of breakers in the harness

Each circuit opens on 5 failures of 10, or on 5 consecutive failures, for 100 ms, and then admits
one probe. If a breaker lacks such a setting, it has the closest one.

- *f*: cancelled calls.
- *g*: stale results.
- *h*: failures after many successes. A breaker with only a time window gets no verdict, because the
  result depends on the number of successes in the window.
- *i*: many callers while the circuit is half-open.

The script fails if a breaker of seawall does not pass.
"""

THREADS = """\
## Breakers on several threads in the harness

Each time includes building the request. The time of two threads depends on the cores that the
system chooses: it is less than half on cores that share a cache. The floor that only clones an
`Arc`, as every breaker in the harness does, shows which cores were chosen.
"""

SOCKETS = """\
## Calls over a socket in the harness

Client and server share one processor, with 16 calls in flight. The server responds with 502 to 5 %
of the requests, so clients that retry send 5 % more requests. Some clients sleep for zero time
between attempts. Tokio rounds that up to a millisecond, which determines their p99.
"""


def main():
    if len(sys.argv) < 2 or sys.argv[2:] not in ([], ["--timed"]):
        sys.exit(__doc__)
    copy = copy_harness(sys.argv[1])
    breakers = list(breaker_table(copy))
    harness_rows, harness_bare = measure_harness(copy)
    benches_rows, benches_bare = measure_benches()
    adjusted = count_with_harness_features()
    peers = [pair for pair in SAME if "seawall" not in pair[0]]
    seawall = [pair for pair in SAME if "seawall" in pair[0]]
    page = [
        HEAD,
        DIFFERENCES.format(harness=harness_bare, benches=benches_bare),
        "## Complete stacks in the harness\n",
        *stack_table(harness_rows),
        "## Peers in both harnesses\n",
        *comparison_table(harness_rows, benches_rows, adjusted, peers),
        "## seawall in both harnesses\n",
        *comparison_table(harness_rows, benches_rows, adjusted, seawall),
        BREAKERS,
        *breakers,
    ]
    if sys.argv[2:]:
        page += [THREADS, *thread_tables(copy), SOCKETS]
        page += as_table(output(copy, "e2e", "--conc", "16", "--secs", "0.5", "--rounds", "15"))
    (HERE.parent / "PEERS.md").write_text("\n".join(page).rstrip() + "\n")


if __name__ == "__main__":
    main()
