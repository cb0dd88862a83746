#!/usr/bin/env bash
# opossum 10.0.0 (npm, on node 24.21.0 from npm), with autoRenewAbortController as in its README.
#
# Expected: when one call reaches the time-out, opossum aborts this call. Others go on, and
#   with autoRenewAbortController the next calls get a fresh signal.
# Seen: the breaker has one AbortController for all calls. One slow call aborts every call in
#   flight. The signal stays aborted, since it is renewed only when the circuit changes to
#   half-open or closed. So each later call fails at once without a request, these failures
#   of its own making open the circuit, and only the probe after resetTimeout ends it.
# Output: 1 slow call: timed out; 10 fast calls beside it: 10 AbortError
#   12 fast calls after it: 9 AbortError, 3 EOPENBREAKER, 0 requests sent; circuit open: true
# Consequence: one slow path, or one user with a big query, takes a healthy upstream away from
#   everybody: first all calls in flight, then all new ones until resetTimeout is over. The
#   log shows AbortError for calls that took no time at all. Make a signal for each call
#   (AbortSignal.timeout) and leave abortController alone.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
echo '{"type": "module", "private": true}' >package.json
npm install --no-audit --no-fund --loglevel=silent --cache "$tmp/cache" node@24.21.0 opossum@10.0.0 \
  >/dev/null 2>&1 || exit 77
node=$tmp/node_modules/node/bin/node; [ -x "$node" ] || exit 77
cat >check.mjs <<'JS'
import http from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import CircuitBreaker from 'opossum';

let requests = 0;
const server = http.createServer((req, res) => {
  requests += 1;
  setTimeout(() => res.end('ok'), req.url === '/slow' ? 60_000 : 300);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}`;

const breaker = new CircuitBreaker(
  async (path) => (await fetch(url + path, { signal: breaker.getSignal() })).text(),
  { timeout: 1000, autoRenewAbortController: true, volumeThreshold: 20, errorThresholdPercentage: 50, resetTimeout: 30_000 },
);
const call = (path) => breaker.fire(path).then(() => 'ok', (error) => (error.name === 'AbortError' ? error.name : error.code));
const count = (results) => Object.entries(Object.groupBy(results, (x) => x)).map(([what, all]) => `${all.length} ${what}`).join(', ');

const slow = call('/slow');
await sleep(850);
const beside = await Promise.all(Array.from({ length: 10 }, () => call('/fast')));
console.log(`1 slow call: ${await slow}; 10 fast calls beside it: ${count(beside)}`);
requests = 0;
const after = [];
for (let i = 0; i < 12; i += 1) after.push(await call('/fast'));
console.log(`12 fast calls after it: ${count(after)}, ${requests} requests sent; circuit open: ${breaker.opened}`);
const asDescribed = beside.every((x) => x === 'AbortError') && !after.includes('ok') && requests === 0 && breaker.opened;
process.exit(asDescribed ? 0 : 1);
JS
"$node" check.mjs
