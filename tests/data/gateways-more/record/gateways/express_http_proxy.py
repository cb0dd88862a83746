import json, os
NODE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "node")
NAME = "express-http-proxy"
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend")

def get_version():
    return "%s (express %s)" % tuple(json.load(open("%s/node_modules/%s/package.json" % (NODE, p)))["version"] for p in ("express-http-proxy", "express"))

def start(c):
    c.write("s.cjs", '''
const m = (n) => require(%r + '/node_modules/' + n);
const app = m('express')();
const to = %s;
for (const s in to) app.use('/' + s, m('express-http-proxy')(to[s], { timeout: 1500, proxyReqPathResolver: (r) => r.originalUrl }));
app.listen(%d, '127.0.0.1');
''' % (NODE, c.backends_json(SKIP), c.port))
    c.run(["node", c.path("s.cjs")], env={"NODE_ENV": "production"})
READY = 1.5
