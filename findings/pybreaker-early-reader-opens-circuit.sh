#!/usr/bin/env bash
# pybreaker 1.4.1 (PyPI) around a generator that reads a stream of requests 2.34.2 (PyPI).
#
# Expected: pybreaker "can guard generator functions". A reader that has what it wants and
#   leaves the loop is no failure: the upstream answered 200 and sent every line.
# Seen: leaving the loop closes the generator, and the breaker counts the GeneratorExit of
#   that as a failure of the upstream. Five readers that stop at the last event of a stream,
#   before its end, open the circuit. No call failed, and nothing is raised to the readers;
#   the moment of opening shows only as "Exception ignored in" on stderr.
# Output: reader 1 to 5 got 'data: [DONE]'; state open, counter 5
#   reader 6: CircuitBreakerError; the upstream saw 5 requests and answered 200 to all
# Consequence: whoever breaks at "[DONE]", takes the first match or uses next() opens the
#   circuit of a healthy upstream within five calls, for a minute by default, again and again. The
#   failure count has no error that belongs to it. Exclude GeneratorExit in the breaker.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install pybreaker==1.4.1 requests==2.34.2; } \
  >/dev/null 2>&1 || exit 77
cat >"$tmp/check.py" <<'PY'
import http.server, sys, threading
import pybreaker, requests

answered = []


class Upstream(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: hello\n\ndata: [DONE]\n\n")

    def log_request(self, code="-", size="-"):
        answered.append(int(code))


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=60)


@breaker
def events():
    with requests.get(url, stream=True, timeout=5) as response:
        response.raise_for_status()
        for line in response.iter_lines(decode_unicode=True):
            if line:
                yield line


def read():
    for event in events():
        if event == "data: [DONE]":
            return event


got = [read() for _ in range(5)]
print(f"reader 1 to 5 got {got[-1]!r}; state {breaker.current_state}, counter {breaker.fail_counter}")
try:
    sixth = read()
except pybreaker.CircuitBreakerError as error:
    sixth = type(error).__name__
print(f"reader 6: {sixth}; the upstream saw {len(answered)} requests and answered {set(answered)}")
server.shutdown()
as_described = set(got) == {"data: [DONE]"} and breaker.current_state == "open"
sys.exit(0 if as_described and sixth == "CircuitBreakerError" and answered == [200] * 5 else 1)
PY
"$tmp/venv/bin/python" "$tmp/check.py" 2>/dev/null
