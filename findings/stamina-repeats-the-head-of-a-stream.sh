#!/usr/bin/env bash
# stamina 26.1.0, tenacity 9.2.1, backoff 2.2.1 around a stream of httpx 0.28.1 (PyPI).
#
# Expected: a retry decorator on an async generator that reads a stream of events. It repeats the
#   call only as long as the reader has got nothing; a stream that breaks later raises.
# Seen: tenacity and backoff repeat nothing, not even a 503 before the first event: the decorator is
#   without effect, and without a word. stamina repeats always, also after events were
#   given, and starts from the beginning: the reader's loop gets the head once for each
#   attempt, all in one sequence, with no mark between them and no error at the end.
# Output: 503 twice, then a whole stream
#   stamina: ['The', 'cat', 'sat'], 3 requests; tenacity, backoff: HTTPStatusError, 1 request
#   stream breaks after two events twice, then is whole
#   stamina: ['The', 'cat', 'The', 'cat', 'The', 'cat', 'sat'], 3 requests
#   tenacity, backoff: ['The', 'cat'], then RemoteProtocolError, 1 request
# Consequence: moving from tenacity to stamina, or to the release of stamina that first took
#   generators (25.2.0), turns a visible error into wrong text, doubled rows, a sum too large. All three
#   decorate the same function and accept it. Decorate a function that opens the stream and
#   reads one event, not the one that yields.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install stamina==26.1.0 tenacity==9.2.1 backoff==2.2.1 \
  httpx==0.28.1; } >/dev/null 2>&1 || exit 77
cat >"$tmp/check.py" <<'PY'
import asyncio, sys
import backoff, httpx, stamina, tenacity

requests = 0


async def serve(reader, writer):
    global requests
    head = await reader.readuntil(b"\r\n\r\n")
    requests += 1
    whole = requests == 3
    if b"/busy" in head and not whole:
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    else:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for word in (b"The", b"cat", b"sat")[:3 if whole else 2]:
            event = b"data: " + word + b"\n\n"
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
        if whole:
            writer.write(b"0\r\n\r\n")
    await writer.drain()
    writer.close()


async def events(url):
    async with httpx.AsyncClient() as client, client.stream("GET", url) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line:
                yield line.removeprefix("data: ")


DECORATED = {
    "stamina": stamina.retry(on=httpx.HTTPError, attempts=3, wait_initial=0.01, wait_jitter=0)(events),
    "tenacity": tenacity.retry(retry=tenacity.retry_if_exception_type(httpx.HTTPError),
                               stop=tenacity.stop_after_attempt(3))(events),
    "backoff": backoff.on_exception(backoff.constant, httpx.HTTPError, max_tries=3, interval=0)(events),
}


async def main():
    global requests
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    seen = {}
    for path in ("/busy", "/breaks"):
        for name, read in DECORATED.items():
            requests, words, error = 0, [], "no error"
            try:
                async for word in read(f"http://127.0.0.1:{port}{path}"):
                    words.append(word)
            except httpx.HTTPError as raised:
                error = type(raised).__name__
            seen[path, name] = " ".join(words), error, requests
            print(path, name, words, error, f"{requests} requests")
    once = {("/busy", name): ("", "HTTPStatusError", 1) for name in ("tenacity", "backoff")}
    once |= {("/breaks", name): ("The cat", "RemoteProtocolError", 1) for name in ("tenacity", "backoff")}
    again = {("/busy", "stamina"): ("The cat sat", "no error", 3),
             ("/breaks", "stamina"): ("The cat The cat The cat sat", "no error", 3)}
    sys.exit(0 if seen == once | again else 1)


asyncio.run(main())
PY
"$tmp/venv/bin/python" "$tmp/check.py" 2>/dev/null
