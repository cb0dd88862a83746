#!/usr/bin/env bash
# cockatiel 3.2.1 (npm, on node 24.21.0 from npm): timeout around circuitBreaker.
#
# Expected: wrap(timeout(2 s, Cooperative), circuitBreaker) hands its AbortSignal to the call,
#   so that fetch is aborted after 2 s in every state of the circuit. While one call tests a
#   half-open circuit, the others are refused.
# Seen: they are not refused but wait for the test, however long it takes. Once it succeeded
#   all go out at once, and without their signal: `signal` is then one that never aborts.
#   The time-out fires and nothing hears it, nor does an abort by the user.
# Output: 5 calls to a path that takes 6 s
#   circuit closed: 5 AbortError after 2.0 s
#   circuit half open, test takes 1 s: 5 resolved after 7.0 s, sent within 0.1 s
# Consequence: at the worst moment, when an upstream has just come back, calls have no
#   deadline: each lasts as long as the upstream likes, though a time-out of 2 s is around
#   it. The burst of all waiting calls meets an upstream that was tested with one call.
#   Only a timeout inside the breaker, or TimeoutStrategy.Aggressive, still ends a call.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
echo '{"type": "module", "private": true}' >package.json
npm install --no-audit --no-fund --loglevel=silent --cache "$tmp/cache" node@24.21.0 cockatiel@3.2.1 \
  >/dev/null 2>&1 || exit 77
node=$tmp/node_modules/node/bin/node; [ -x "$node" ] || exit 77
cat >check.mjs <<'JS'
import http from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { circuitBreaker, ConsecutiveBreaker, handleAll, timeout, TimeoutStrategy, wrap } from 'cockatiel';

let arrivals = [];
const server = http.createServer(async (req, res) => {
  if (req.url === '/down') res.statusCode = 503;
  if (req.url === '/test') await sleep(1000);
  if (req.url === '/slow') {
    arrivals.push(Date.now());
    await sleep(6000);
  }
  res.end('ok');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const get = (path) => async ({ signal }) => {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { signal });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.text();
};

async function measure(halfOpen) {
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: 200, breaker: new ConsecutiveBreaker(3) });
  const policy = wrap(timeout(2000, TimeoutStrategy.Cooperative), breaker);
  if (halfOpen) {
    for (let i = 0; i < 3; i += 1) await policy.execute(get('/down')).catch(() => {});
    await sleep(300);
    policy.execute(get('/test'));
  }
  arrivals = [];
  const start = Date.now();
  const calls = Array.from({ length: 5 }, () => policy.execute(get('/slow')));
  const results = await Promise.allSettled(calls);
  const seconds = (Date.now() - start) / 1000;
  const names = results.map((result) => result.reason?.name ?? 'resolved');
  const spread = (Math.max(...arrivals) - Math.min(...arrivals)) / 1000;
  console.log(`${halfOpen ? 'half open, test takes 1 s' : 'closed'}: ${names.join(', ')} after ${seconds.toFixed(1)} s; ${arrivals.length} sent within ${spread.toFixed(1)} s`);
  return { names: new Set(names), seconds, sent: arrivals.length };
}
const closed = await measure(false);
const halfOpen = await measure(true);
process.exit(closed.names.size === 1 && closed.names.has('AbortError') && closed.seconds < 4
  && halfOpen.names.size === 1 && halfOpen.names.has('resolved') && halfOpen.seconds > 6.5 && halfOpen.sent === 5 ? 0 : 1);
JS
"$node" check.mjs
