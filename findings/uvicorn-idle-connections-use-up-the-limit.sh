#!/usr/bin/env bash
# uvicorn 0.54.0 with `limit_concurrency`, behind the pool of httpx 0.28.1 (PyPI).
#
# Expected: limit_concurrency=10 sheds load. The eleventh request that runs at the same time
#   gets 503; connections that a gateway keeps open for later cost nothing.
# Seen: each open connection counts as a running request, idle or not, and the new one counts
#   itself. A gateway that once made nine calls side by side keeps nine connections in its
#   pool. From then on the server refuses every call of every other client while it does
#   nothing at all, and takes them again as soon as that pool is closed.
# Output: gateway A: 9 calls side by side, {200: 9}
#   gateway B, with 0 requests running: 20 calls, {503: 20}
#   gateway B, after A has closed its pool: 20 calls, {200: 20}
# Consequence: a second gateway, a health check or a rolling deploy of the gateway meets 503
#   from an idle server, as long as the first pool is used now and then (the server's keep-alive
#   time-out of 5 s ends it otherwise). Retries and more pooled connections make it worse. The
#   limit must be larger than all pools in front, and then it sheds nothing; one less than
#   the number is admitted. Use a semaphore in the application for running requests.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install uvicorn==0.54.0 httpx==0.28.1; } \
  >/dev/null 2>&1 || exit 77
cat >"$tmp/check.py" <<'PY'
import asyncio, collections, sys
import httpx, uvicorn

running = 0


async def app(scope, receive, send):
    global running
    running += 1
    await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
    running -= 1


async def main():
    server = uvicorn.Server(uvicorn.Config(app, port=0, limit_concurrency=10, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"

    async def count(client, calls, together):
        get = lambda: client.get(url)
        if together:
            answers = await asyncio.gather(*(get() for _ in range(calls)))
        else:
            answers = [await get() for _ in range(calls)]
        return dict(collections.Counter(answer.status_code for answer in answers))

    gateway_a = httpx.AsyncClient(timeout=10)
    first = await count(gateway_a, 9, True)
    print("gateway A: 9 calls side by side,", first)
    async with httpx.AsyncClient(timeout=10) as gateway_b:
        left = running
        refused = await count(gateway_b, 20, False)
        print(f"gateway B, with {left} requests running: 20 calls,", refused)
        await gateway_a.aclose()
        await asyncio.sleep(0.5)
        admitted = await count(gateway_b, 20, False)
        print("gateway B, after A has closed its pool: 20 calls,", admitted)
    server.should_exit = True
    await serving
    sys.exit(0 if (first, left, refused, admitted) == ({200: 9}, 0, {503: 20}, {200: 20}) else 1)


asyncio.run(main())
PY
"$tmp/venv/bin/python" "$tmp/check.py"
