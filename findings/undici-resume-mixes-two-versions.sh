#!/usr/bin/env bash
# undici 8.13.1 RetryAgent (npm) reading a file of express 5.3.0 (npm), on node 24.21.0 (npm).
#
# Expected: after a broken download RetryAgent asks for the rest with Range, guarded by the
#   ETag of the first answer, as its documentation says. If the file was replaced meanwhile,
#   it starts again or reports an error.
# Seen: express.static sends weak ETags. RetryAgent drops a weak ETag, asks for the rest with
#   no condition at all, does not compare ETag or Last-Modified of the 206 with those of the
#   first answer, and appends: half of the old file, half of the new one, status 200, no error.
# Output: second request: range bytes=524288-1048575, if-match none, if-range none
#   200, 1048576 bytes, 524288 of version A, 524288 of version B; ETag of A in its headers
# Consequence: a deployment during a download gives a file that never existed, with the right
#   length and no error. Only a checksum tells. An origin that sends no ETag is the same case.
#   Send strong ETags, or do not put RetryAgent in front of downloads.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
echo '{"type": "module", "private": true}' >package.json
npm install --no-audit --no-fund --loglevel=silent --cache "$tmp/cache" \
  node@24.21.0 undici@8.13.1 express@5.3.0 >/dev/null 2>&1 || exit 77
node=$tmp/node_modules/node/bin/node; [ -x "$node" ] || exit 77
cat >check.mjs <<'JS'
import fs from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import express from 'express';
import { Agent, RetryAgent, request } from 'undici';

const SIZE = 1 << 20;
fs.mkdirSync('public');
fs.writeFileSync('public/file', 'A'.repeat(SIZE));
const seen = [];
const app = express();
app.use((req, res, next) => { seen.push(req.headers); next(); });
app.use(express.static('public'));
const origin = app.listen(0, '127.0.0.1');
await once(origin, 'listening');

// Relays bytes. The first answer is cut in the middle, and the file is replaced.
let cut = true;
const relay = net.createServer((client) => {
  const server = net.connect(origin.address().port, '127.0.0.1');
  let passed = 0;
  for (const side of [client, server]) side.on('error', () => {});
  client.pipe(server);
  server.on('data', (bytes) => {
    client.write(bytes);
    passed += bytes.length;
    if (cut && passed >= SIZE / 2) {
      cut = false;
      fs.writeFileSync('public/file', 'B'.repeat(SIZE));
      server.destroy();
      client.destroySoon();
    }
  });
  server.on('end', () => client.end());
}).listen(0, '127.0.0.1');
await once(relay, 'listening');

const url = `http://127.0.0.1:${relay.address().port}/file`;
let asDescribed = false;
try {
  const answer = await request(url, { dispatcher: new RetryAgent(new Agent()) });
  const text = await answer.body.text();
  const [a, b] = ['A', 'B'].map((letter) => text.split(letter).length - 1);
  const again = seen[1] ?? {};
  console.log(`second request: range ${again.range ?? 'none'}, if-match ${again['if-match'] ?? 'none'},`,
    `if-range ${again['if-range'] ?? 'none'}`);
  console.log(`${answer.statusCode}, ${text.length} bytes, ${a} of version A, ${b} of version B; ETag ${answer.headers.etag}`);
  asDescribed = answer.statusCode === 200 && a > 0 && b > 0 && a + b === SIZE;
} catch (error) {
  console.log('error:', error.message);
}
process.exit(asDescribed ? 0 : 1);
JS
"$node" check.mjs
