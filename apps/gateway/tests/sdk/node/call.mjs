// One call of an SDK: node call.mjs PACKAGES (ai | openai | anthropic) URL KEY (text | stream)

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [packages, sdk, url, apiKey, mode] = process.argv.slice(2);
const require = createRequire(pathToFileURL(packages + '/'));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const stream = mode === 'stream';
const messages = [{ role: 'user', content: 'hi' }];

const calls = {
  async ai() {
    const { generateText, streamText } = await load('ai');
    const { createOpenAI } = await load('@ai-sdk/openai');
    const model = createOpenAI({ baseURL: url + '/v1', apiKey }).chat('m');
    return stream ? streamText({ model, messages, onError() {} }).textStream : generateText({ model, messages });
  },
  async openai() {
    const { OpenAI } = await load('openai');
    return new OpenAI({ baseURL: url + '/v1', apiKey }).chat.completions.create({ model: 'm', messages, stream });
  },
  async anthropic() {
    const { Anthropic } = await load('@anthropic-ai/sdk');
    return new Anthropic({ baseURL: url, apiKey }).messages.create({ model: 'm', messages, stream, max_tokens: 9 });
  },
};

try {
  const response = await calls[sdk]();
  if (stream) for await (const _ of response);
  console.log('ok');
} catch (error) {
  console.log(error.name, error.message);
}
