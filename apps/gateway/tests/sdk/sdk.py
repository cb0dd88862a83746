"""The gateway, used through the SDKs of OpenAI and Anthropic and through requests.

Usage: sdk.py PROGRAM [unittest arguments]
"""

import sys
import threading
import time
import unittest

import openai
import requests

import gateway
from case import NO_RETRIES, REQUEST, TEXT, GatewayTestCase
from gateway import API_KEY, POLICY, service
# unittest runs the tests of this module's names.
from retries import Retries, RetryAmplification  # noqa: F401
from upstream import WORDS, ErrorResponse, InterruptedStream, openai_events


class Forwarding(GatewayTestCase):
    def test_gateway_replaces_client_key(self):
        one, two = self.upstream(), self.upstream()
        config = service("openai", one.url + "/base") + service(
            "anthropic", two.url, key='api_key_env = "KEY"\napi_key_header = "x-api-key"')
        for client in self.clients(self.gateway(POLICY + config)):
            self.assertEqual(self.complete(client), TEXT)
        received = one.requests[0]
        self.assertEqual(received["path"], "/base/v1/chat/completions")
        self.assertEqual(received["headers"]["authorization"], f"Bearer {API_KEY}")
        self.assertNotIn("openai-organization", received["headers"])
        self.assertEqual(two.requests[0]["path"], "/v1/messages")
        self.assertEqual(two.requests[0]["headers"]["x-api-key"], API_KEY)
        self.assertIn("anthropic-version", two.requests[0]["headers"])
        for upstream in (one, two):
            self.assertNotIn("client-key", str(upstream.requests[0]["headers"]))

    def test_client_key_is_forwarded_without_api_key_env(self):
        upstream = self.upstream()
        self.complete(self.openai(self.gateway(service("openai", upstream.url, key=""))))
        self.assertEqual(upstream.requests[0]["headers"]["authorization"], "Bearer client-key")
        self.assertEqual(upstream.requests[0]["headers"]["openai-organization"], "org-client")

    def test_log_metrics_and_snapshot_contain_no_key(self):
        down, cut = self.upstream(default=ErrorResponse(502)), self.upstream(InterruptedStream(3))
        config = POLICY + service("openai", down.url) + service("cut", cut.url)
        proxy = self.gateway(config + service("refused", "http://127.0.0.1:1"), log="trace")
        for path in ("openai", "refused"):
            with self.assertRaises(openai.APIError):
                self.complete(self.openai(proxy, path, **NO_RETRIES))
        with self.assertRaises(Exception):
            list(self.openai(proxy, "cut").chat.completions.create(stream=True, **REQUEST))
        metrics = requests.get(proxy.url + "/metrics").text
        with requests.get(proxy.url + "/@/events", stream=True) as response:
            snapshot = next(response.iter_lines()).decode()
        self.assertIn("seawall_attempts_total", metrics)
        self.assertIn('"status":502', snapshot)
        proxy.stop()
        self.assertIn("/v1/chat/completions", proxy.log)
        self.assertIn('"level":"TRACE"', proxy.log)
        for secret in (API_KEY, "client-key"):
            for output in (proxy.log, metrics, snapshot):
                self.assertNotIn(secret, output)


class Streaming(GatewayTestCase):
    def test_events_are_forwarded_one_by_one(self):
        upstream = self.upstream()
        proxy = self.gateway(service("openai", upstream.url) + service("anthropic", upstream.url))

        def openai_words():
            for event in self.openai(proxy).chat.completions.create(stream=True, **REQUEST):
                if event.choices[0].delta.content:
                    yield event.choices[0].delta.content

        def anthropic_words():
            with self.anthropic(proxy).messages.stream(max_tokens=9, **REQUEST) as stream:
                yield from stream.text_stream

        for words, before, after in ((openai_words(), 1, 2), (anthropic_words(), 3, 3)):
            # The upstream sends each word only after the client has received the previous one.
            upstream.event_permits = threading.Semaphore(before)
            for word in WORDS:
                upstream.event_permits.release()
                self.assertEqual(next(words), word)
            for _ in range(after):
                upstream.event_permits.release()
            self.assertEqual(list(words), [])

    def test_stream_is_forwarded_byte_for_byte(self):
        proxy = self.gateway(service("openai", self.upstream().url))
        url = proxy.url + "/openai/v1/chat/completions"
        with requests.post(url, json={"stream": True, **REQUEST}, stream=True) as response:
            self.assertEqual(response.headers["content-type"], "text/event-stream; charset=utf-8")
            self.assertEqual(response.raw.read(), b"".join(openai_events()))

    def test_interrupted_stream_is_error_and_not_retried(self):
        upstream = self.upstream(default=InterruptedStream(3))
        proxy = self.gateway(POLICY + service("openai", upstream.url) + service("anthropic", upstream.url))
        words = []
        with self.assertRaises(Exception) as raised:
            for event in self.openai(proxy).chat.completions.create(stream=True, **REQUEST):
                words.append(event.choices[0].delta.content)
        self.assertEqual((words, len(upstream.requests)), (WORDS[:2], 1), raised.exception)
        with self.assertRaises(Exception):
            with self.anthropic(proxy).messages.stream(max_tokens=9, **REQUEST) as stream:
                list(stream.text_stream)
        self.assertEqual(len(upstream.requests), 2)
        proxy.wait_for_log('"seawall.cause":"http_response_incomplete"')
        metrics = requests.get(proxy.url + "/metrics").text
        # Both the client and the server metric record the interruption.
        for name in ("http_client_request_duration_count", "http_server_request_duration_count"):
            lines = [line for line in metrics.splitlines()
                     if line.startswith(name) and 'error_type="http_response_incomplete"' in line]
            self.assertTrue(lines and lines[0].rsplit(" ", 1)[1] in "12", metrics)


class Rejections(GatewayTestCase):
    def test_open_circuits_reject_at_once_and_recover(self):
        downs = [self.upstream(default=ErrorResponse(502)) for _ in range(2)]
        policy = POLICY + "retries = 0\nopen_after = 2\n"
        proxy = self.gateway(policy + service("openai", *[down.url for down in downs]))
        url = proxy.url + "/openai/v1/chat/completions"
        for _ in range(20):
            if requests.post(url, json=REQUEST).status_code == 503:
                break
        sent = [len(down.requests) for down in downs]
        self.assertEqual(sent, [2, 2])
        started = time.monotonic()
        response = requests.post(url, json=REQUEST)
        self.assertLess(time.monotonic() - started, 0.5)
        self.assertEqual(response.status_code, 503)
        self.assertEqual(response.headers["content-type"], "application/problem+json")
        self.assertEqual(response.json()["cause"], "circuit_open")
        self.assertIn(response.headers["retry-after"], "12")
        # The SDK honors Retry-After and retries.
        for down in downs:
            down.default = None
        self.assertEqual(self.complete(self.openai(proxy)), TEXT)

    def test_rate_limited_client_gets_429_with_retry_after(self):
        upstream = self.upstream()
        limit = "[limit]\nrequests_per_minute = 60\nburst = 3\n"
        proxy = self.gateway(limit + service("openai", upstream.url))
        client = self.openai(proxy, **NO_RETRIES)
        for _ in range(3):
            self.complete(client)
        with self.assertRaises(openai.RateLimitError) as raised:
            self.complete(client)
        headers = raised.exception.response.headers
        self.assertEqual((headers["retry-after"], headers["content-type"]), ("1", "application/problem+json"))
        self.assertNotIn("x-should-retry", headers)
        self.assertEqual(len(upstream.requests), 3)
        self.assertEqual(self.complete(self.openai(proxy)), TEXT)

    def test_clients_authenticate_and_have_own_rate_limits(self):
        upstream = self.upstream()
        clients = "".join(f'[[client]]\nname = "{name}"\ntoken_env = "{name.upper()}"\n' for name in ("ann", "bob"))
        limit = "[limit]\nrequests_per_minute = 1\nburst = 2\n"
        proxy = self.gateway(
            limit + clients + service("openai", upstream.url), ANN="tok-ann", BOB="tok-bob")
        for token in ("tok-ann", "tok-bob"):
            client = self.openai(proxy, key=token, **NO_RETRIES)
            self.complete(client)
            self.complete(client)
            with self.assertRaises(openai.RateLimitError):
                self.complete(client)
        for wrong in ("tok-an", "tok-annn", "x", API_KEY):
            with self.assertRaises(openai.AuthenticationError):
                self.complete(self.openai(proxy, key=wrong))
        received = str(upstream.requests)
        self.assertEqual(len(upstream.requests), 4)
        self.assertNotIn("tok-", received)
        proxy.stop()
        self.assertNotIn("tok-", proxy.log)

    def test_cross_site_request_cannot_use_keys(self):
        upstream = self.upstream()
        proxy = self.gateway(service("openai", upstream.url))
        url = proxy.url + "/openai/v1/chat/completions"
        for headers in ({"sec-fetch-site": "cross-site"}, {"host": "evil.example"}):
            self.assertEqual(requests.post(url, json=REQUEST, headers=headers).status_code, 403)
        self.assertEqual(upstream.requests, [])


class Reloading(GatewayTestCase):
    def test_open_stream_survives_reload(self):
        old, new = self.upstream(), self.upstream()
        proxy = self.gateway(service("openai", old.url))
        old.event_permits = threading.Semaphore(2)
        stream = iter(self.openai(proxy).chat.completions.create(stream=True, **REQUEST))
        words = [next(stream).choices[0].delta.content]
        proxy.write_config(service("openai", new.url))
        self.assertIn("reloaded ", proxy.reload())
        self.assertEqual(self.complete(self.openai(proxy)), TEXT)
        self.assertEqual(len(new.requests), 1)
        for _ in range(5):
            old.event_permits.release()
        words += [event.choices[0].delta.content for event in stream]
        self.assertEqual(words[:3], WORDS)

    def test_invalid_file_keeps_previous_configuration(self):
        upstream = self.upstream()
        good = service("openai", upstream.url)
        proxy = self.gateway(good)
        proxy.write_config(good + "[policy]\nretires = 3\n")
        message = proxy.reload()
        self.assertRegex(message, r"llm.toml:7: unknown field `retires`.*`retries`.*stays in force$")
        self.assertEqual(self.complete(self.openai(proxy)), TEXT)

    def test_unchanged_service_keeps_circuit(self):
        down, up = self.upstream(default=ErrorResponse(502)), self.upstream()
        policy = POLICY + "retries = 0\nopen_after = 1\n"
        proxy = self.gateway(policy + service("openai", down.url))
        url = proxy.url + "/openai/v1/chat/completions"
        self.assertEqual(requests.post(url, json=REQUEST).status_code, 502)
        proxy.write_config(policy + service("openai", down.url) + service("other", up.url))
        proxy.reload()
        self.assertEqual(requests.post(url, json=REQUEST).status_code, 503)
        self.assertEqual(requests.post(url.replace("openai", "other"), json=REQUEST).status_code, 200)
        self.assertEqual(len(down.requests), 1)


if __name__ == "__main__":
    gateway.PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
