import json, os, time, urllib.request
NODE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "node")
NAME = "configurable-http-proxy"
SKIP = ("gateway_rate_limited", "connection_limit", "connect_timeout")

def get_version():
    return json.load(open("%s/node_modules/configurable-http-proxy/package.json" % NODE))["version"]

def start(c):
    api = 1 + c.port
    c.run(["node", NODE + "/node_modules/configurable-http-proxy/bin/configurable-http-proxy", "--ip", "127.0.0.1", "--port", str(c.port),
           "--api-ip", "127.0.0.1", "--api-port", str(api), "--proxy-timeout", "1500"],
          env={"CONFIGPROXY_AUTH_TOKEN": "t"})
    # no route for `no_backend`, so the proxy responds with its own 404
    for s in list(c.origins) + ["unresolvable"]:
        if s in SKIP or s == "no_backend":
            continue
        req = urllib.request.Request("http://127.0.0.1:%d/api/routes/%s" % (api, s), method="POST",
                                     data=json.dumps({"target": c.url(s)}).encode(), headers={"Authorization": "token t"})
        for _ in range(50):
            try:
                urllib.request.urlopen(req, timeout=5)
                break
            except OSError:
                time.sleep(0.1)

# without a route, the cause is destination_not_found (RFC 9209)
TRUTH = {"no_backend": {"cause": "destination_not_found", "also": ["destination_unavailable"], "reporter": "gateway", "processed": "no"}}
