#!/usr/bin/env bash
# @nestjs/throttler 6.7.1 with @nestjs/core, common and platform-express 12.5.1, and ky 2.1.0
# (npm, on node 24.21.0 from npm).
#
# Expected: two throttlers, `short` and `long`, the set-up for "3 a second, 20 a minute". A
#   refused call gets 429 with the Retry-After of the one that refused it, and clients wait.
# Seen: a throttler with a name puts it on the end of every header: `Retry-After-short: 3`,
#   `X-RateLimit-Reset-short`. No Retry-After is sent, and no other field that a client
#   knows. With a single throttler without a name all is well.
# Output: throttler without a name: 429 with retry-after: 3; ky: 200 after 3.0 s, 2 requests
#   throttlers short and long: 429 with retry-after-short: 3; ky: 429 after 0.9 s, 3 requests
# Consequence: adding the second limit takes the hint from every client, proxy and SDK. They fall
#   back to backoffs of less than a second, use up their attempts within the window and
#   fail, with more requests than before. Each side is right by its own tests. Set the
#   header in a guard of one's own (throwThrottlingException).
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
echo '{"type": "module", "private": true}' >package.json
npm install --no-audit --no-fund --loglevel=silent --cache "$tmp/cache" node@24.21.0 ky@2.1.0 \
  @nestjs/throttler@6.7.1 @nestjs/core@12.5.1 @nestjs/common@12.5.1 @nestjs/platform-express@12.5.1 \
  reflect-metadata@0.2.2 rxjs@7.8.2 >/dev/null 2>&1 || exit 77
node=$tmp/node_modules/node/bin/node; [ -x "$node" ] || exit 77
cat >check.mjs <<'JS'
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import ky from 'ky';

async function measure(title, throttlers) {
  let requests = 0;
  class Hello { get() { return 'hello'; } }
  Get()(Hello.prototype, 'get', Object.getOwnPropertyDescriptor(Hello.prototype, 'get'));
  Controller()(Hello);
  class Root {}
  Module({
    imports: [ThrottlerModule.forRoot(throttlers)],
    controllers: [Hello],
    providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
  })(Root);
  const app = await NestFactory.create(Root, { logger: false });
  app.use((req, res, next) => { requests += 1; next(); });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  let refused;
  do refused = await fetch(url); while (refused.status === 200);
  const hints = [...refused.headers].filter(([name]) => /retry|rate/.test(name)).map((pair) => pair.join(': '));
  requests = 0;
  const start = Date.now();
  const answer = await ky(url).catch((error) => error.response);
  const seconds = (Date.now() - start) / 1000;
  console.log(`${title}: ${refused.status} with ${hints}; ky: ${answer.status} after ${seconds.toFixed(1)} s, ${requests} requests`);
  await app.close();
  return `${refused.status} ${hints} ${answer.status} ${requests}`;
}
const single = await measure('throttler without a name', [{ ttl: 3000, limit: 3 }]);
const named = await measure('throttlers short and long', [
  { name: 'short', ttl: 3000, limit: 3 }, { name: 'long', ttl: 60_000, limit: 20 }]);
process.exit(single === '429 retry-after: 3 200 2' && named === '429 retry-after-short: 3 429 3' ? 0 : 1);
JS
"$node" check.mjs
