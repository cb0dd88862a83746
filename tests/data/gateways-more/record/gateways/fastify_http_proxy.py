import json, os
NODE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "node")
NAME = "fastify-http-proxy"
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend")

def get_version():
    return "%s (fastify %s)" % tuple(json.load(open("%s/node_modules/%s/package.json" % (NODE, p)))["version"] for p in ("@fastify/http-proxy", "fastify"))

def start(c):
    c.write("s.cjs", '''
const m = (n) => require(%r + '/node_modules/' + n);
const app = m('fastify')({ logger: { level: 'warn' } });
const to = %s;
for (const s in to) app.register(m('@fastify/http-proxy'), { upstream: to[s], prefix: '/' + s, rewritePrefix: '/' + s,
  undici: { connect: { timeout: 1000 }, headersTimeout: 1500, bodyTimeout: 1500 } });
app.listen({ port: %d, host: '127.0.0.1' });
''' % (NODE, c.backends_json(SKIP), c.port))
    c.run(["node", c.path("s.cjs")])
READY = 1.5
