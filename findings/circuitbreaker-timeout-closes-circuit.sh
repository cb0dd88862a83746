#!/usr/bin/env bash
# circuitbreaker 2.1.3 and purgatory 3.0.1 (PyPI), asyncio, an upstream on loopback.
#
# Expected: a call that a time-out cuts off is a failure, or at least no success. A call that
#   is cancelled because its user went away says nothing about the upstream.
# Seen: the breaker gets CancelledError for both. circuitbreaker takes it for a success: it
#   sets the count of failures to 0, and a probe that timed out closes the open circuit.
#   purgatory takes it for a failure: five users who leave open a healthy circuit.
# Output: circuitbreaker: 5 refusals: open; one probe that timed out: closed, 0 failures
#   circuitbreaker: silent upstream, 50 calls timed out: closed, 50 requests sent
#   purgatory: healthy upstream, 5 calls cancelled: opened; the next user gets OpenedState
# Consequence: with circuitbreaker a time-out around the call makes the breaker useless for an
#   upstream that hangs, the case it is there for. Put the time-out inside. With purgatory
#   impatient users, or the losers of hedged calls, open the circuit of a healthy upstream.
#   Exclude asyncio.CancelledError.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install circuitbreaker==2.1.3 purgatory==3.0.1; } \
  >/dev/null 2>&1 || exit 77
cat >"$tmp/check.py" <<'PY'
import asyncio, sys
from circuitbreaker import CircuitBreaker
from purgatory import AsyncCircuitBreakerFactory

requests, answer_after = 0, 0.0

async def serve(reader, writer):
    global requests
    try:
        await reader.readline()
        requests += 1
        await asyncio.sleep(answer_after)
        writer.write(b"ok\n")
        await writer.drain()
    except (OSError, asyncio.CancelledError):
        pass
    writer.close()

async def main():
    global requests, answer_after
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    refused = True

    async def ask():
        if refused:
            raise ConnectionRefusedError
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"?\n")
            return await reader.readline()
        finally:
            writer.close()

    breaker = CircuitBreaker(failure_threshold=5, recovery_timeout=1, name="upstream")
    guarded = breaker(ask)

    async def call():
        try:
            return await asyncio.wait_for(guarded(), 0.1)
        except Exception as error:
            return type(error).__name__

    for _ in range(5):
        await call()
    opened = breaker.state
    await asyncio.sleep(1.2)
    refused, answer_after = False, 30
    probe = await call()
    print(f"circuitbreaker: 5 refusals: {opened}; one probe, {probe}: {breaker.state}, {breaker.failure_count} failures")
    closed_by_timeout = opened == "open" and probe == "TimeoutError" and breaker.state == "closed"
    requests = 0
    results = [await call() for _ in range(50)]
    print(f"circuitbreaker: silent upstream, 50 calls {set(results)}: {breaker.state}, {requests} requests sent")
    never_opens = breaker.state == "closed" and requests == 50

    factory = AsyncCircuitBreakerFactory(default_threshold=5)
    guarded = factory("upstream")(ask)
    answer_after = 0.3
    for _ in range(5):
        user = asyncio.create_task(guarded())
        await asyncio.sleep(0.05)
        user.cancel()
        await asyncio.wait([user])
    state = (await factory.get_breaker("upstream")).context.state
    print(f"purgatory: healthy upstream, 5 calls cancelled: {state}; the next user gets {await call()}")
    sys.exit(0 if closed_by_timeout and never_opens and state == "opened" else 1)

asyncio.run(main())
PY
"$tmp/venv/bin/python" "$tmp/check.py"
