import json, os
NODE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "node")
NAME = "http-proxy-middleware"
# proxyTimeout starts when the connection is open. A SYN without a reply waits for the kernel, over two minutes.
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend", "connect_timeout")

def get_version():
    return "%s (express %s)" % tuple(json.load(open("%s/node_modules/%s/package.json" % (NODE, p)))["version"] for p in ("http-proxy-middleware", "express"))

def start(c):
    c.write("s.cjs", '''
const m = (n) => require(%r + '/node_modules/' + n);
const app = m('express')();
const to = %s;
for (const s in to) app.use(m('http-proxy-middleware').createProxyMiddleware({ target: to[s], changeOrigin: true,
  pathFilter: '/' + s + '/', proxyTimeout: 1500, logger: console }));
app.listen(%d, '127.0.0.1');
''' % (NODE, c.backends_json(SKIP), c.port))
    c.run(["node", c.path("s.cjs")])
READY = 1.5
