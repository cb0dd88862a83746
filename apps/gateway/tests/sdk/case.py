"""A test case with gateways, upstreams and clients that end with the test."""

import unittest

import anthropic
import openai

from gateway import Gateway
from upstream import WORDS, Upstream

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
TEXT = "".join(WORDS)
# The SDKs retry twice by default.
DEFAULT_RETRIES = {}
NO_RETRIES = {"max_retries": 0}


class GatewayTestCase(unittest.TestCase):
    def upstream(self, *script, default=None):
        upstream = Upstream(script, default)
        self.addCleanup(upstream.stop)
        return upstream

    def gateway(self, config, **options):
        proxy = Gateway(config, **options)
        self.addCleanup(proxy.stop)
        return proxy

    def openai(self, proxy, path="openai", key="client-key", **options):
        client = openai.OpenAI(base_url=f"{proxy.url}/{path}/v1", api_key=key, organization="org-client", **options)
        self.addCleanup(client.close)
        return client

    def anthropic(self, proxy, **options):
        client = anthropic.Anthropic(base_url=f"{proxy.url}/anthropic", api_key="client-key", **options)
        self.addCleanup(client.close)
        return client

    def complete(self, client):
        if isinstance(client, openai.OpenAI):
            return client.chat.completions.create(**REQUEST).choices[0].message.content
        return client.messages.create(max_tokens=9, **REQUEST).content[0].text

    def clients(self, proxy, **options):
        yield self.openai(proxy, **options)
        yield self.anthropic(proxy, **options)
