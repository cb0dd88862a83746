import json, os
NODE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "node")
NAME = "hapi-h2o2"
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend")

def get_version():
    return "%s (hapi %s)" % tuple(json.load(open("%s/node_modules/%s/package.json" % (NODE, p)))["version"] for p in ("@hapi/h2o2", "@hapi/hapi"))

def start(c):
    c.write("s.cjs", '''
const m = (n) => require(%r + '/node_modules/' + n);
const to = %s;
(async () => {
  const server = m('@hapi/hapi').server({ port: %d, host: '127.0.0.1' });
  await server.register(m('@hapi/h2o2'));
  for (const s in to) server.route({ method: '*', path: '/' + s + '/{p*}',
    handler: { proxy: { uri: to[s] + '/' + s + '/{p}', passThrough: true, timeout: 1500 } } });
  server.events.on('request', (r, e) => e.error && console.log(r.method, r.path, e.error.message));
  await server.start();
})();
''' % (NODE, c.backends_json(SKIP), c.port))
    c.run(["node", c.path("s.cjs")])
READY = 1.5
