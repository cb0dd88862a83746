#!/usr/bin/env bash
# ky 2.1.0 (npm, on node 24.21.0 from npm), default settings.
#
# Expected: one 503 without Retry-After, from a server that restarts, is repeated after ky's
#   backoff of 0.3 s. Headers that say "4987 of 5000 calls left" are no reason to wait.
# Seen: without Retry-After ky takes X-RateLimit-Reset for it, on a 503 as on a 429, and does
#   not look at X-RateLimit-Remaining. APIs in the manner of GitHub send these headers with
#   every answer, so ky sleeps until the quota window ends, up to an hour. The time-out of 10 s
#   counts each attempt alone and does not end the sleep; there is no cap by default.
# Output: 503, then 200, without these headers: answer after 0.4 s
#   the same with 4987 calls left and a window that ends in 5 s: answer after 5.4 s
# Consequence: a restart of one second costs the caller up to an hour, with nothing in the log.
#   A quota that is nearly full makes the wait useless. Set retry.maxRetryAfter and totalTimeout.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
echo '{"type": "module", "private": true}' >package.json
npm install --no-audit --no-fund --loglevel=silent --cache "$tmp/cache" node@24.21.0 ky@2.1.0 \
  >/dev/null 2>&1 || exit 77
node=$tmp/node_modules/node/bin/node; [ -x "$node" ] || exit 77
cat >check.mjs <<'JS'
import http from 'node:http';
import { once } from 'node:events';
import ky from 'ky';

let requests = 0;
const server = http.createServer((req, res) => {
  requests += 1;
  if (req.url === '/quota') {
    res.setHeader('x-ratelimit-limit', '5000');
    res.setHeader('x-ratelimit-remaining', '4987');
    res.setHeader('x-ratelimit-reset', String(Math.ceil(Date.now() / 1000) + 5));
  }
  res.statusCode = requests === 1 ? 503 : 200;
  res.end('hello');
}).listen(0, '127.0.0.1');
await once(server, 'listening');

async function measure(path) {
  requests = 0;
  const start = Date.now();
  await ky(`http://127.0.0.1:${server.address().port}${path}`).text();
  const seconds = (Date.now() - start) / 1000;
  console.log(`503, then 200, at ${path}: answer after ${seconds.toFixed(1)} s, ${requests} requests`);
  return seconds;
}
const plain = await measure('/plain');
const quota = await measure('/quota');
process.exit(plain < 2 && quota > 4.5 ? 0 : 1);
JS
"$node" check.mjs
