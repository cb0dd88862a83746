#!/usr/bin/env bash
# purgatory 3.0.1 (PyPI), asyncio.
#
# Expected: a call that an open circuit refuses costs nothing: an exception, a short trace.
# Seen: the state "open" is itself the exception, and one object is raised for every refused
#   call. Python adds the frames of each raise to the trace of that object. So the trace grows
#   with each refusal until the circuit closes, and it holds the local variables of every
#   refused call: request bodies, open files, connections.
# Output: trace of refusal 1: 6 frames, of refusal 1000: 6000 frames
#   bodies of 64 KiB still held after 1000 refused calls: 1000 (62 MiB)
# Consequence: refusing is the cheap answer to an outage, and here it makes memory grow with
#   the traffic, until the circuit closes. A logger that prints the trace writes thousands of
#   lines for one refused call, and more each time. Set __traceback__ of the caught OpenedState
#   to None; then nothing is held.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install purgatory==3.0.1; } >/dev/null 2>&1 || exit 77
cat >"$tmp/check.py" <<'PY'
import asyncio, gc, sys, traceback
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

SIZE, CALLS = 64 * 1024, 1000
circuits = AsyncCircuitBreakerFactory(default_threshold=3, default_ttl=60)


class Body(bytearray):
    alive = 0

    def __init__(self, size):
        super().__init__(size)
        Body.alive += 1

    def __del__(self):
        Body.alive -= 1


@circuits("upstream")
async def send(body):
    raise ConnectionRefusedError


async def handle():
    body = Body(SIZE)
    try:
        await send(body)
    except OpenedState as refusal:
        return sum(1 for _ in traceback.walk_tb(refusal.__traceback__))
    except ConnectionRefusedError:
        return None


async def main():
    while await handle() is not None or (await circuits.get_breaker("upstream")).context.state != "opened":
        pass
    gc.collect()
    before = Body.alive
    frames = [await handle() for _ in range(CALLS)]
    gc.collect()
    held = Body.alive - before
    print(f"trace of refusal 1: {frames[0]} frames, of refusal {CALLS}: {frames[-1]} frames")
    print(f"bodies of 64 KiB still held after {CALLS} refused calls: {held} ({held * SIZE >> 20} MiB)")
    sys.exit(0 if frames[-1] > CALLS and held >= CALLS - 1 else 1)


asyncio.run(main())
PY
"$tmp/venv/bin/python" "$tmp/check.py"
