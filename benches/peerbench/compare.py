#!/usr/bin/env python3
"""Writes benches/PEERS.md: the peers' rows of another harness beside the same rows here, and ours in that harness.

    compare.py DIRECTORY [--timed]

DIRECTORY: where that harness is, called peerbench; it is copied, and our column added to the copy. --timed: its benches of
threads and of sockets as well, which say something only on a machine that does nothing else.
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

# A row there, and the row here that measures the same.
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
    ("ours Timeout", "seawall Timeout"),
    ("ours BodyTimeout", "seawall BodyTimeout"),
    ("ours Retry", "seawall Retry"),
    ("ours Retry, no budget", "seawall Retry, no budget"),
    ("ours CircuitBreaker", "seawall CircuitBreaker"),
    ("ours CircuitBreaker, consecutive failures", "seawall CircuitBreaker, consecutive failures"),
    ("ours CircuitBreaker, keyed", "seawall CircuitBreaker, keyed"),
    ("ours BadGatewayClassifier", "seawall BadGatewayClassifier"),
    ("ours InFlightLimit", "seawall InFlightLimit"),
    ("ours InFlightLimit, to the response", "seawall InFlightLimit, until the response"),
    ("ours Logging, client", "seawall Logging, client"),
    ("stack ours, no body timeout", "seawall Standard, no body timeout"),
    ("stack ours", "seawall Standard"),
]

INNER = {"ready": "ready", "pend": "pending once"}

# The breakers that are run more often on two threads, and the floors that tell where those were.
OURS, PEER = "ours CircuitBreaker", "tower-resilience 0.14 CircuitBreaker (count 100)"
FURTHER = ["bare", "floor: Arc clone only", "floor: one atomic word", OURS, PEER]

# What the copy needs to have our column: file, what stands there, what is put in its place.
CHANGES = [
    ("Cargo.toml", "[features]", '[dependencies.seawall]\npath = "{root}"\nfeatures = ["hyper-util"]\n\n[features]'),
    # Our retry hands on a body of its own type; the services inside took one type only.
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
        '        job("ours CircuitBreaker", ours::breaker(ReadySvc)),',
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
        '        BreakerPeer { name: "ours, ratio and 5 consecutive failures", make: ours::ratio_and_consecutive },\n'
        '        BreakerPeer { name: "ours, 5 consecutive failures", make: ours::consecutive },\n'
        # A window in time is probed as such there if it is called so.
        '        BreakerPeer { name: "ours, ratio alone: success_rate(0.5, 10, 1 s)", make: ours::ratio },',
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


def copied(harness):
    """A copy with our column. It stays, so that its next build is quick."""
    copy = Path(tempfile.gettempdir()) / "seawall-peerbench"
    for name in ["src", "icount.sh", "Cargo.toml"]:
        source, to = Path(harness) / name, copy / name
        if source.is_dir():
            shutil.rmtree(to, ignore_errors=True)
            shutil.copytree(source, to, copy_function=shutil.copyfile)
            to.chmod(0o755)
            for path in to.rglob("*"):
                path.chmod(0o755 if path.is_dir() else 0o644)
        else:
            copy.mkdir(exist_ok=True)
            to.unlink(missing_ok=True)
            shutil.copyfile(source, to)
    (copy / "icount.sh").chmod(0o755)
    for name, old, new in CHANGES:
        path = copy / name
        text = path.read_text()
        if old not in text:
            sys.exit(f"compare.py: {name} has changed: it has no {old!r}")
        path.write_text(text.replace(old, new.replace("{root}", str(ROOT))))
    for name in ["ours.rs", "ours_breaker.rs"]:
        shutil.copyfile(HERE / name, copy / "src/peers" / name)
    # The same versions as here.
    shutil.copyfile(ROOT / "Cargo.lock", copy / "Cargo.lock")
    return copy


class Row:
    """What is measured of a row, over bare but for the future's size."""

    def __init__(self, instructions, ns, allocations, size, future):
        self.instructions, self.ns, self.future = instructions, ns, future
        self.allocations, self.bytes = allocations, size


def there(copy):
    """The rows there, and the instructions of bare."""
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


def here():
    """The same rows here, and the instructions of bare."""
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


def with_more_threads():
    """Here, with tokio built as there: instructions over bare."""
    names = pattern(["bare", *(name for _, name in SAME)])
    table = rows(
        run("benches/icount.sh", f"^{names}\tGET\t(ready|pending once)\tnone$", FEATURES="tokio/rt-multi-thread")
    )
    counts = {(r[0], r[2]): float(r[4]) for r in table}
    return {key: count - counts["bare", key[1]] for key, count in counts.items()}


def number(text):
    return f"{float(text):.1f}".removesuffix(".0")


def compared(theirs, ours, more, names):
    yield (
        "| row | response | instructions there | here | here, as there | difference left | ns there | here "
        "| allocations there | here | future there | here |"
    )
    yield "|---|---|" + "--:|" * 10
    for name, same in names:
        for inner in INNER.values():
            a, b, as_there = theirs[name, inner], ours[same, inner], more[same, inner]
            yield (
                f"| {same} | {inner} | {a.instructions:.0f} | {b.instructions:.0f} | {as_there:.0f} "
                f"| {as_there - a.instructions:+.0f} | {a.ns:.0f} | {b.ns:.0f} "
                f"| {number(a.allocations)} | {number(b.allocations)} | {a.future} | {b.future} |"
            )
    yield ""


def stacks(theirs):
    yield "| stack | response | instructions over bare | ns over bare | allocations | bytes | future |"
    yield "|---|---|" + "--:|" * 5
    for (name, inner), row in theirs.items():
        if name.startswith("stack"):
            yield (
                f"| {name} | {inner} | {row.instructions:.0f} | {row.ns:.0f} | {number(row.allocations)} "
                f"| {row.bytes} | {row.future} |"
            )
    yield ""


def as_table(text):
    """Their tables, whose columns are separated by tabs."""
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


def breakers(copy):
    """What each breaker does; an error if one of ours does not pass."""
    # probe peer verdict detail
    table = [r for r in rows(output(copy, "behaviour", "--breakers"))[1:] if r[0][0] in "fghi"]
    seen = {(r[0], r[1]): r[2:] for r in table}
    probes, names = sorted({r[0] for r in table}), list(dict.fromkeys(r[1] for r in table))
    if {probe[0] for probe in probes} != set("fghi"):
        sys.exit(f"compare.py: it no longer asks f, g, h and i, but {probes}")
    for (probe, name), (verdict, detail) in seen.items():
        # A ratio alone gets no verdict on h: how many open it depends on how many succeeded in that time.
        due = "INFO" if probe[0] == "h" and "success_rate" in name else "PASS"
        if name.startswith("ours") and verdict != due:
            sys.exit(f"compare.py: {name}: {verdict}: {probe}: {detail}")
    said = {"PASS": "pass", "FAIL": "**fail**: {}", "INFO": "{}"}
    yield "| what is asked | " + " | ".join(names) + " |"
    yield "|---|" + "---|" * len(names)
    for probe in probes:
        cells = [said[verdict].format(detail) for verdict, detail in (seen[probe, name] for name in names)]
        yield f"| {probe} | " + " | ".join(cells) + " |"
    yield ""


def on_threads(copy):
    """The breakers on one thread and on two, and some of them again: two threads differ from run to run."""
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
    times = ([theirs / ours for theirs, ours in zip(it[PEER], it[OURS])] for it in further)
    yield f"| {PEER} ÷ {OURS} | " + " | ".join("{:.1f} / {:.1f}".format(*it) for it in times) + " |"
    yield ""


HEAD = """\
# The peers in another harness

Made by `benches/peerbench/compare.py`, which copies a harness of the peers that somebody else wrote, adds seawall to the copy
as one more of them (`benches/peerbench/ours.rs`), and runs it, and the same rows of `benches`, with the same versions of all
crates: so a slip in either would show. Each row is a GET without headers, nobody listens; what the layer adds to bare,
and the whole future's size.
"""

DIFFERENCES = """\
Where they differ, and why:

- tokio has all its features there, and here those that are used. With `rt-multi-thread` its scheduler is one of two, which makes
  a timer 16 bytes larger, and each one dearer. *Here, as there* is with that feature, counted by
  `FEATURES=tokio/rt-multi-thread benches/icount.sh`, and *difference left* is what remains.
- There the compiler inlines the service inside where there is no layer, and mostly calls it where there is one; here it
  calls it in both. So bare is cheaper there ({there:.0f} instructions, here {here:.0f}), and what that was spared, a layer pays.
  Some of seawall's are put in line with it, and cost less there: the classifier nearly nothing, the breaker a quarter less.
- Here the service inside reads the request's body to its end, there it drops it.
- The floors are not the same code.
- Nanoseconds were taken in two processes that were built apart: their differences say little.
"""

BREAKERS = """\
## What breakers do, there

A circuit that opens by 5 failures of 10, or by 5 consecutive failures, for 100 ms, and then lets one call try, or the nearest that each has.
*f*: calls that are dropped; *g*: results that come late; *h*: failures after many successes; *i*: many callers while one may try.
A ratio over a time alone gets no verdict on *h*: how many failures open it depends on how many calls succeeded in that time. The
script ends with an error if one of ours does not pass.
"""

OTHERS = """\
## Breakers on several threads, there

The request is built inside. Where the system puts two threads decides what they cost together: on cores that share a cache, less
than half of what they cost on others. The floor that only clones an `Arc`, as every breaker there must, tells which it was.
"""

SOCKETS = """\
## Over a socket, there

One processor for client and server, 16 in flight. Of the requests 5 % are answered by 502, so that clients which retry send that
many more; the p99 of those that wait between attempts is a sleep of none, which takes tokio a millisecond.
"""


def main():
    if len(sys.argv) < 2 or sys.argv[2:] not in ([], ["--timed"]):
        sys.exit(__doc__)
    copy = copied(sys.argv[1])
    asked = list(breakers(copy))
    (theirs, bare_there), (ours, bare_here), more = there(copy), here(), with_more_threads()
    peers = [pair for pair in SAME if "ours" not in pair[0]]
    seawall = [pair for pair in SAME if "ours" in pair[0]]
    page = [
        HEAD,
        DIFFERENCES.format(there=bare_there, here=bare_here),
        "## The whole stack, there\n",
        *stacks(theirs),
        "## The peers, there and here\n",
        *compared(theirs, ours, more, peers),
        "## seawall, there and here\n",
        *compared(theirs, ours, more, seawall),
        BREAKERS,
        *asked,
    ]
    if sys.argv[2:]:
        page += [OTHERS, *on_threads(copy), SOCKETS]
        page += as_table(output(copy, "e2e", "--conc", "16", "--secs", "0.5", "--rounds", "15"))
    (HERE.parent / "PEERS.md").write_text("\n".join(page).rstrip() + "\n")


if __name__ == "__main__":
    main()
