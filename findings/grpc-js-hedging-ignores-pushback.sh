#!/usr/bin/env bash
# @grpc/grpc-js 1.14.7 with @grpc/proto-loader 0.8.1 (npm, on node 24.21.0 from npm).
#
# Expected: a server that is overloaded fails a hedged call with `grpc-retry-pushback-ms: 2000`.
#   The next hedge then starts 2 s later, as the design of gRPC retries (A6) says.
# Seen: the timer of the hedging policy goes on as if nothing had been said. All hedges are sent
#   at the pace of hedgingDelay, and each of them is pushed back too. The pushback delays
#   only one thing: the error. It is held from the caller until 2 s are over, though the last
#   answer is long there. A retryPolicy of the same client honors the same header.
# Output: hedgingPolicy, 4 attempts, delay 0.2 s: requests at 0, 0.2, 0.4, 0.6 s; failed after 2.0 s
#   retryPolicy, 4 attempts: requests at 0, 2, 4, 6 s; failed after 6.0 s
# Consequence: the server asks for quiet and gets four times the calls within 0.6 s; the caller
#   waits longer than without pushback. With a delay of 0 all attempts are out before any
#   answer. Only a negative pushback ("do not repeat") stops the hedges.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
echo '{"type": "module", "private": true}' >package.json
npm install --no-audit --no-fund --loglevel=silent --cache "$tmp/cache" node@24.21.0 \
  @grpc/grpc-js@1.14.7 @grpc/proto-loader@0.8.1 >/dev/null 2>&1 || exit 77
node=$tmp/node_modules/node/bin/node; [ -x "$node" ] || exit 77
cat >service.proto <<'PROTO'
syntax = "proto3";
package demo;
message Empty {}
service Demo { rpc Busy(Empty) returns (Empty); rpc Well(Empty) returns (Empty); }
PROTO
cat >check.mjs <<'JS'
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const { Demo } = grpc.loadPackageDefinition(loader.loadSync('service.proto')).demo;
let start = 0;
let requests = [];
const server = new grpc.Server();
server.addService(Demo.service, {
  Well: (call, answer) => answer(null, {}),
  Busy: (call, answer) => {
    requests.push((Date.now() - start) / 1000);
    const metadata = new grpc.Metadata();
    metadata.set('grpc-retry-pushback-ms', '2000');
    answer({ code: grpc.status.UNAVAILABLE, details: 'busy', metadata });
  },
});
const port = await new Promise((resolve, reject) => server.bindAsync('127.0.0.1:0',
  grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));

async function measure(name, policy) {
  const config = JSON.stringify({ methodConfig: [{ name: [{ service: 'demo.Demo' }], ...policy }] });
  const client = new Demo(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { 'grpc.service_config': config });
  const call = (method) => new Promise((resolve) => { client[method]({}, { deadline: Date.now() + 20_000 }, resolve); });
  await call('Well'); // connects
  start = Date.now();
  requests = [];
  const error = await call('Busy');
  const seconds = (Date.now() - start) / 1000;
  client.close();
  console.log(`${name}: requests at ${requests.map((x) => x.toFixed(1)).join(', ')} s; ${error.details} after ${seconds.toFixed(1)} s`);
  return { last: requests.at(-1), count: requests.length, seconds };
}
const hedged = await measure('hedgingPolicy, 4 attempts, delay 0.2 s', {
  hedgingPolicy: { maxAttempts: 4, hedgingDelay: '0.2s', nonFatalStatusCodes: ['UNAVAILABLE'] },
});
const retried = await measure('retryPolicy, 4 attempts', {
  retryPolicy: { maxAttempts: 4, initialBackoff: '0.1s', maxBackoff: '1s', backoffMultiplier: 2, retryableStatusCodes: ['UNAVAILABLE'] },
});
process.exit(hedged.count === 4 && hedged.last < 1.5 && hedged.seconds > 1.8 && retried.count === 4 && retried.last > 5.5 ? 0 : 1);
JS
"$node" check.mjs
