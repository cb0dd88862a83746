import json, os
NODE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "node")
NAME = "node-http-proxy"
# without an error listener the process dies; here is the one of its README, word for word
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend", "connect_timeout")

def get_version():
    return json.load(open("%s/node_modules/http-proxy/package.json" % NODE))["version"]

def start(c):
    c.write("s.cjs", '''
const m = (n) => require(%r + '/node_modules/' + n);
const to = %s;
const proxy = m('http-proxy').createProxyServer({ proxyTimeout: 1500 });
proxy.on('error', function (err, req, res) {
  console.log(req.method, req.url, err.code, err.message);
  res.writeHead(500, {
    'Content-Type': 'text/plain'
  });
  res.end('Something went wrong. And we are reporting a custom error message.');
});
require('http').createServer((req, res) => proxy.web(req, res, { target: to[req.url.split('/')[1]] })).listen(%d, '127.0.0.1');
''' % (NODE, c.backends_json(SKIP), c.port))
    c.run(["node", c.path("s.cjs")])

def restart(c):
    c.procs.clear()
    c.run(["node", c.path("s.cjs")])
READY = 1.5
