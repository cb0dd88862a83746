"""One call of each SDK, with the retries that the SDK makes by default."""

import os
import subprocess

import anthropic
import cohere
import groq
import openai
from google import genai
from google.genai import types

MESSAGES = [{"role": "user", "content": "hi"}]
KEY = "client-key"
# The folder with the Node packages of `node/package.json`, or `None`.
NODE = os.environ.get("SDK_NODE")


def call_openai(url, stream):
    client = openai.OpenAI(base_url=url + "/v1", api_key=KEY)
    response = client.chat.completions.create(model="m", messages=MESSAGES, stream=stream)
    return list(response) if stream else response


def call_groq(url, stream):
    client = groq.Groq(base_url=url, api_key=KEY)
    response = client.chat.completions.create(model="m", messages=MESSAGES, stream=stream)
    return list(response) if stream else response


def call_anthropic(url, stream):
    client = anthropic.Anthropic(base_url=url, api_key=KEY)
    response = client.messages.create(model="m", messages=MESSAGES, max_tokens=9, stream=stream)
    return list(response) if stream else response


def call_cohere(url, stream):
    client = cohere.ClientV2(base_url=url, api_key=KEY)
    if stream:
        return list(client.chat_stream(model="m", messages=MESSAGES))
    return client.chat(model="m", messages=MESSAGES)


def call_google_genai(url, stream):
    # Without these options, there is no retry.
    options = types.HttpOptions(base_url=url, retry_options=types.HttpRetryOptions())
    client = genai.Client(api_key=KEY, http_options=options)
    if stream:
        return list(client.models.generate_content_stream(model="m", contents="hi"))
    return client.models.generate_content(model="m", contents="hi")


def node(sdk):
    """Returns a function that calls an SDK of Node."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node", "call.mjs")

    def call(url, stream):
        command = ["node", script, NODE, sdk, url, KEY, "stream" if stream else "text"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return call


class Sdk:
    """`own_calls` is the number of requests that the SDK sends without a gateway."""

    def __init__(self, name, call, path, own_calls=3):
        self.name, self.call, self.path, self.own_calls = name, call, path, own_calls


CHAT = "/v1/chat/completions"
SDKS = [
    Sdk("openai 3.57.0", call_openai, CHAT),
    Sdk("anthropic 2.14.0", call_anthropic, "/v1/messages"),
    Sdk("groq 1.7.0", call_groq, "/openai/v1/chat/completions"),
    Sdk("cohere 7.3.1", call_cohere, "/v2/chat"),
    Sdk("google-genai 3.6.1, HttpRetryOptions()", call_google_genai, "/v1beta/models/m:generateContent", 5),
]
if NODE:
    SDKS += [
        Sdk("ai 7.0.173, @ai-sdk/openai 4.0.118", node("ai"), CHAT),
        Sdk("openai 7.59.0 (Node)", node("openai"), CHAT),
        Sdk("@anthropic-ai/sdk 1.14.0", node("anthropic"), "/v1/messages"),
    ]
