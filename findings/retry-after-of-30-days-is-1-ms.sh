#!/usr/bin/env bash
# axios-retry 4.5.0 with axios 1.21.1, and @octokit/plugin-throttling 11.0.5 with @octokit/core
# 7.0.8 (npm, on node 24.21.0 from npm); ky 2.1.0 beside them, which is right.
#
# Expected: `Retry-After: 2592000` (a monthly quota is used up, try again in 30 days) makes a
#   client wait, or give up at once.
# Seen: a timer of node holds at most 24.8 days, and a longer one fires after 1 ms. axios-retry
#   sends all its attempts at once, with exponentialDelay too. plugin-throttling passes 2592000
#   seconds to its callback, and then repeats the call at once. ky splits the wait.
# Output: axios-retry: 4 requests within 0.1 s; octokit: 3 requests, callback got 2592000 s;
#   ky: 1 request, still waiting
# Consequence: clients keep a wait of 24 days, and retry at once after a wait of 25. Node only
#   prints a warning on stderr. A server should cap `Retry-After` at 24 days.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
echo '{"type": "module", "private": true}' >package.json
npm install --no-audit --no-fund --loglevel=silent --cache "$tmp/cache" node@24.21.0 axios@1.21.1 \
  axios-retry@4.5.0 @octokit/core@7.0.8 @octokit/plugin-throttling@11.0.5 ky@2.1.0 \
  >/dev/null 2>&1 || exit 77
node=$tmp/node_modules/node/bin/node; [ -x "$node" ] || exit 77
cat >check.mjs <<'JS'
import http from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';
import axiosRetry from 'axios-retry';
import { Octokit } from '@octokit/core';
import { throttling } from '@octokit/plugin-throttling';
import ky from 'ky';

let requests = 0;
const server = http.createServer((req, res) => {
  requests += 1;
  res.writeHead(429, { 'retry-after': '2592000', 'x-ratelimit-remaining': '10', 'content-type': 'application/json' });
  res.end('{"message": "secondary rate limit"}');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}`;

async function count(name, call) {
  requests = 0;
  const start = Date.now();
  const end = await Promise.race([call().then(() => 'ended', (e) => `failed: ${e.message}`), sleep(4000, 'still going on')]);
  console.log(`${name}: ${requests} requests in ${(Date.now() - start) / 1000} s, ${end}`);
  return requests;
}
const client = axios.create();
axiosRetry(client, { retries: 3, retryDelay: axiosRetry.exponentialDelay });
const told = [];
const again = (seconds, options, octokit, retries) => { told.push(seconds); return retries < 2; };
const octokit = new (Octokit.plugin(throttling))({
  baseUrl: url, log: { debug() {}, info() {}, warn() {}, error() {} },
  throttle: { onRateLimit: again, onSecondaryRateLimit: again },
});
const counts = [
  await count('axios-retry', () => client.get(url)),
  await count('octokit', () => octokit.request('GET /repos')),
  await count('ky', () => ky(url, { timeout: false, retry: 3 })),
];
console.log('the callback of octokit got', [...new Set(told)], 's');
process.exit(counts[0] === 4 && counts[1] === 3 && counts[2] === 1 ? 0 : 1);
JS
"$node" --no-warnings check.mjs
