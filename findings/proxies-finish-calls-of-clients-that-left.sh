#!/usr/bin/env bash
# http-proxy 1.18.1, @fastify/http-proxy 11.6.3 on fastify 5.12.8, http-proxy-middleware 4.2.2 on
# express 5.3.0, http-proxy-3 2.0.1 (npm, on node 24.21.0 from npm), settings of their README.
#
# Expected: a client POSTs a prompt, then closes its connection. The proxy closes its request
#   to the origin, so that the model stops.
# Seen: http-proxy waits for an event of node that is sent only while the request is still
#   being read. After that it never notices: the origin writes the whole answer, event by
#   event, to a client that is gone. @fastify/http-proxy notices in a stream that has begun,
#   but not while the origin thinks. http-proxy-3 and http-proxy-middleware stop in both cases.
# Output: what the origin did after the client left
#   http-proxy             answer not begun: ran to its end    amid a stream: ran to its end
#   @fastify/http-proxy    answer not begun: ran to its end    amid a stream: stopped
#   http-proxy-middleware  answer not begun: stopped           amid a stream: stopped
#   http-proxy-3           answer not begun: stopped           amid a stream: stopped
# Consequence: each cancelled prompt is generated and paid to its end. A client that times out
#   and tries again, as SDKs do twice by default, has three of them running at the same
#   time, and the origin cannot see that two of them have no reader.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
echo '{"type": "module", "private": true}' >package.json
npm install --no-audit --no-fund --loglevel=silent --cache "$tmp/cache" node@24.21.0 http-proxy@1.18.1 \
  http-proxy-3@2.0.1 http-proxy-middleware@4.2.2 express@5.3.0 @fastify/http-proxy@11.6.3 fastify@5.12.8 \
  >/dev/null 2>&1 || exit 77
node=$tmp/node_modules/node/bin/node; [ -x "$node" ] || exit 77
cat >check.mjs <<'JS'
import http from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import fastify from 'fastify';
import fastifyProxy from '@fastify/http-proxy';
import httpProxy from 'http-proxy';
import { createProxyServer } from 'http-proxy-3';
import { createProxyMiddleware } from 'http-proxy-middleware';

const listen = async (handler) => {
  const server = http.createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
};
const fates = {};
const origin = await listen((req, res) => {
  req.resume();
  const timers = [setTimeout(() => res.end('data: [DONE]\n\n'), 3000)];
  if (req.url.endsWith('stream')) {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 0\n\n');
    timers.push(setInterval(() => res.write('data: more\n\n'), 100));
  }
  res.on('close', () => {
    timers.forEach((timer) => clearTimeout(timer));
    fates[req.url] = res.writableFinished ? 'ran to its end' : 'stopped';
  });
});
const target = `http://127.0.0.1:${origin}`;
const plain = (proxy) => {
  proxy.on('error', () => {});
  return listen((req, res) => proxy.web(req, res));
};
const app = fastify();
app.register(fastifyProxy, { upstream: target });
await app.listen({ port: 0, host: '127.0.0.1' });
const proxies = {
  'http-proxy': await plain(httpProxy.createProxyServer({ target })),
  '@fastify/http-proxy': app.server.address().port,
  'http-proxy-middleware': await listen(express().use(createProxyMiddleware({ target, logger: undefined }))),
  'http-proxy-3': await plain(createProxyServer({ target })),
};

async function leave(port, path) {
  const request = http.request({ port, path, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': 2 } });
  request.on('error', () => {});
  const begun = new Promise((resolve) => {
    request.on('response', (answer) => answer.on('error', () => {}).once('data', resolve));
  });
  request.end('{}');
  await (path.endsWith('stream') ? Promise.race([begun, sleep(2000)]) : sleep(500));
  request.destroy();
}
const kinds = ['thinks', 'stream'];
await Promise.all(Object.values(proxies).flatMap((port, i) => kinds.map((kind) => leave(port, `/${i}/${kind}`))));
await sleep(4500);
const seen = Object.keys(proxies).map((name, i) => kinds.map((kind) => fates[`/${i}/${kind}`]));
Object.keys(proxies).forEach((name, i) => {
  console.log(`${name.padEnd(22)} answer not begun: ${seen[i][0]?.padEnd(17)} amid a stream: ${seen[i][1]}`);
});
const [end, stop] = ['ran to its end', 'stopped'];
process.exit(JSON.stringify(seen) === JSON.stringify([[end, end], [end, stop], [stop, stop], [stop, stop]]) ? 0 : 1);
JS
"$node" check.mjs 2>/dev/null
