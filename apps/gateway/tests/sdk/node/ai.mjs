// One call of the Vercel AI SDK: node ai.mjs PACKAGES URL KEY (text | stream)

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [packages, baseURL, apiKey, mode] = process.argv.slice(2);
const require = createRequire(pathToFileURL(packages + '/'));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { generateText, streamText } = await load('ai');
const { createOpenAI } = await load('@ai-sdk/openai');
const model = createOpenAI({ baseURL, apiKey }).chat('m');

try {
  if (mode === 'stream') {
    for await (const _ of streamText({ model, prompt: 'hi', onError() {} }).textStream);
  } else {
    await generateText({ model, prompt: 'hi' });
  }
  console.log('ok');
} catch (error) {
  console.log(error.name);
}
