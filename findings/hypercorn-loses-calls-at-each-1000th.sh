#!/usr/bin/env bash
# hypercorn 0.18.0 with h2 4.4.1 (PyPI), HTTP/2, default settings.
#
# Expected: keep_alive_max_requests (1000 by default) ends a connection kindly: a GOAWAY
#   without error names the last call that was taken, the calls up to there are answered, and
#   the client opens a new connection for the next ones.
# Seen: the GOAWAY names the newest call, so all in flight count as taken. But its protocol
#   library allows no frame after it: the application runs all of them to the end, and
#   hypercorn drops their answers. The client hears nothing for the five seconds of the
#   keep-alive time-out, then the connection closes.
# Output: 20 calls side by side, then the next 20, up to 1400 on one connection
#   keep_alive_max_requests 1000: GOAWAY (0, 2039); sent 1020, run 1020, answered 1000; newest call
#   lost 2039; closed 5.1 s later
#   keep_alive_max_requests 10000: no GOAWAY; sent 1400, run 1400, answered 1400
# Consequence: a gateway with one HTTP/2 connection to hypercorn loses all calls in flight at each
#   thousandth. They must not be repeated, since GOAWAY says that they were taken, and they
#   were: the application has counted them as served. A client that sends more before it has read
#   the GOAWAY gets a second one, PROTOCOL_ERROR, as if it were at fault. Short tests do not
#   reach the number. Set keep_alive_max_requests very high.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install hypercorn==0.18.0 h2==4.4.1; } >/dev/null 2>&1 || exit 77
cat >"$tmp/check.py" <<'PY'
import asyncio, socket, sys, time
import h2.config, h2.connection, h2.events
import hypercorn.asyncio, hypercorn.config

HEADERS = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "localhost")]
run = 0


async def app(scope, receive, send):
    global run
    if scope["type"] != "http":
        return
    await asyncio.sleep(0.05)
    run += 1
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def calls(port):
    """Makes 20 calls side by side, then the next 20, on one connection until 1400 are sent or it ends."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    open_calls, sent, answered, goaway = set(), 0, 0, None
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        while True:
            if not open_calls and goaway is None and sent < 1400:
                for _ in range(20):
                    stream = connection.get_next_available_stream_id()
                    connection.send_headers(stream, HEADERS, end_stream=True)
                    open_calls.add(stream)
                sent += 20
                peer.sendall(connection.data_to_send())
            data = peer.recv(65536) if open_calls else b""
            if not data:
                return sent, answered, goaway and goaway[:2], time.monotonic() - goaway[2] if goaway else 0, open_calls
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.StreamEnded):
                    open_calls.discard(event.stream_id)
                    answered += 1
                elif isinstance(event, h2.events.ConnectionTerminated):
                    goaway = int(event.error_code), event.last_stream_id, time.monotonic()


async def measure(limit):
    global run
    run = 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = hypercorn.config.Config()
    config.bind, config.loglevel = [f"127.0.0.1:{port}"], "ERROR"
    if limit:
        config.keep_alive_max_requests = limit
    stop = asyncio.Event()
    serving = asyncio.create_task(hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait))
    await asyncio.sleep(1)
    sent, answered, goaway, silence, lost = await asyncio.to_thread(calls, port)
    print(f"keep_alive_max_requests {config.keep_alive_max_requests}: GOAWAY {goaway}; sent {sent}, run {run}, "
          f"answered {answered}; newest call lost {max(lost, default=None)}; closed {silence:.1f} s later")
    stop.set()
    await serving
    return sent, answered, goaway, lost


async def main():
    sent, answered, goaway, lost = await measure(None)
    as_described = (sent, run, answered, len(lost)) == (1020, 1020, 1000, 20) and goaway == (0, max(lost))
    sent, answered, goaway, lost = await measure(10_000)
    sys.exit(0 if as_described and (sent, run, answered, goaway) == (1400, 1400, 1400, None) else 1)


asyncio.run(main())
PY
"$tmp/venv/bin/python" "$tmp/check.py" 2>/dev/null
