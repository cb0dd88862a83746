"""The gateway, used through the SDKs of OpenAI and Anthropic and through requests.

Usage: sdk.py PROGRAM [unittest arguments]
"""

import sys
import threading
import time
import unittest

import anthropic
import openai
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

import gateway
from gateway import API_KEY, POLICY, Gateway, service
from upstream import WORDS, ErrorResponse, InterruptedStream, Upstream, openai_events

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


class Retries(GatewayTestCase):
    def test_retry_waits_for_retry_after_ms(self):
        for status in (429, 529, 503):
            upstream = self.upstream(ErrorResponse(status, {"retry-after-ms": "400", "retry-after": "9"}))
            proxy = self.gateway(POLICY + service("openai", upstream.url))
            self.assertEqual(self.complete(self.openai(proxy, **NO_RETRIES)), TEXT)
            first, second = [request["at"] for request in upstream.requests]
            self.assertTrue(0.4 <= second - first < 2, second - first)

    def test_other_upstream_is_used_during_retry_after(self):
        busy, free = self.upstream(default=ErrorResponse(429, {"retry-after": "15"})), self.upstream()
        proxy = self.gateway(POLICY + service("openai", busy.url, free.url))
        client = self.openai(proxy, **NO_RETRIES)
        started = time.monotonic()
        for _ in range(20):
            self.assertEqual(self.complete(client), TEXT)
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual((len(busy.requests), len(free.requests)), (1, 20))

    def test_one_failing_upstream_fails_no_request(self):
        for failure in map(ErrorResponse, (429, 500, 502, 503, 529)):
            down, up = self.upstream(default=failure), self.upstream()
            proxy = self.gateway(POLICY + service("openai", down.url, up.url))
            client = self.openai(proxy, **NO_RETRIES)
            self.assertEqual([self.complete(client) for _ in range(12)], [TEXT] * 12)

    def test_refused_connection_is_retried_without_any_method(self):
        up = self.upstream()
        config = service("openai", "http://127.0.0.1:1", up.url)
        client = self.openai(self.gateway(config), **NO_RETRIES)
        self.assertEqual([self.complete(client) for _ in range(12)], [TEXT] * 12)

    def test_post_is_not_retried_without_any_method(self):
        upstream = self.upstream(default=ErrorResponse(502))
        proxy = self.gateway(service("openai", upstream.url))
        with self.assertRaises(openai.InternalServerError):
            self.complete(self.openai(proxy, **NO_RETRIES))
        self.assertEqual(len(upstream.requests), 1)

    def test_client_error_is_not_retried(self):
        upstream = self.upstream(default=ErrorResponse(400))
        proxy = self.gateway(POLICY + service("openai", upstream.url))
        with self.assertRaises(openai.BadRequestError) as raised:
            self.complete(self.openai(proxy))
        self.assertIn("failed on purpose", str(raised.exception))
        self.assertEqual(len(upstream.requests), 1)

    def test_x_should_retry_is_honored(self):
        no = self.upstream(default=ErrorResponse(503, {"x-should-retry": "false"}))
        yes = self.upstream(ErrorResponse(418, {"x-should-retry": "true"}))
        proxy = self.gateway(POLICY + service("openai", no.url) + service("anthropic", yes.url))
        with self.assertRaises(openai.InternalServerError):
            self.complete(self.openai(proxy))
        self.assertEqual(len(no.requests), 1)
        self.assertEqual(self.complete(self.anthropic(proxy, **NO_RETRIES)), TEXT)
        self.assertEqual(len(yes.requests), 2)


class RetryAmplification(GatewayTestCase):
    """Only one hop retries."""

    def test_sdk_does_not_retry_after_exhausted_gateway_retries(self):
        for failure, error in ((ErrorResponse(502), "InternalServerError"), (ErrorResponse(529), "InternalServerError"),
                               (ErrorResponse(429, {"retry-after-ms": "10"}), "RateLimitError")):
            for sdk, retries in ((openai, DEFAULT_RETRIES), (anthropic, DEFAULT_RETRIES), (openai, NO_RETRIES), (anthropic, NO_RETRIES)):
                upstream = self.upstream(default=failure)
                proxy = self.gateway(POLICY + service(sdk.__name__, upstream.url))
                client = getattr(self, sdk.__name__)(proxy, **retries)
                with self.assertRaises(sdk.APIStatusError) as raised:
                    self.complete(client)
                status_error = raised.exception
                self.assertEqual((status_error.status_code, len(upstream.requests)), (failure.status, 3))
                self.assertEqual(status_error.response.headers["x-should-retry"], "false")
                self.assertIn("failed on purpose", status_error.response.text)
                proxy.stop()

    def test_sdk_retries_without_gateway(self):
        upstream = self.upstream(default=ErrorResponse(502))
        direct = openai.OpenAI(base_url=upstream.url + "/v1", api_key="k")
        with self.assertRaises(openai.InternalServerError):
            self.complete(direct)
        self.assertEqual(len(upstream.requests), 3)

    def test_only_last_of_three_hops_retries(self):
        for default in (ErrorResponse(502), None):
            upstream = self.upstream(default=default)
            url = upstream.url if default else "http://127.0.0.1:1"
            inner = self.gateway(POLICY + service("openai", url))
            outer = self.gateway(POLICY + service("openai", inner.url + "/openai"))
            with self.assertRaises(openai.InternalServerError) as raised:
                self.complete(self.openai(outer))
            self.assertEqual(raised.exception.status_code, 502)
            metrics = requests.get(inner.url + "/metrics").text
            attempts = [float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines()
                        if line.startswith("seawall_attempts_total{")]
            self.assertEqual(sum(attempts), 3, metrics)
            self.assertEqual(len(upstream.requests), 3 if default else 0)

    def test_repetitions_of_urllib3_are_rejected(self):
        upstream = self.upstream(default=ErrorResponse(502))
        proxy = self.gateway(POLICY + service("openai", upstream.url))
        session = self.session(Retry(total=10, status_forcelist=[502, 503], allowed_methods=None,
                                     raise_on_status=False, respect_retry_after_header=False))
        response = session.post(proxy.url + "/openai/v1/chat/completions", json=REQUEST)
        self.assertEqual((response.status_code, len(response.raw.retries.history)), (503, 10))
        self.assertEqual(response.headers["retry-after"], "1")
        # 33 if each repetition were retried.
        self.assertEqual(len(upstream.requests), 3)

    def test_open_circuit_stops_retries(self):
        upstream = self.upstream(default=ErrorResponse(502))
        proxy = self.gateway(POLICY + service("openai", upstream.url))
        # Different requests, so that none is the repetition of another.
        responses = [requests.post(f"{proxy.url}/openai/v1/{number}", json=REQUEST) for number in range(4)]
        self.assertEqual([response.status_code for response in responses[:1] + responses[2:]], [502, 503, 503])
        self.assertEqual(responses[2].json()["cause"], "circuit_open")
        # The fifth failure opens the circuit, during the retries of the second request.
        self.assertEqual(len(upstream.requests), 5)

    def test_urllib3_sees_success_after_gateway_retries(self):
        upstream = self.upstream(ErrorResponse(502), ErrorResponse(503))
        proxy = self.gateway(service("openai", upstream.url))
        session = self.session(Retry(total=3, status_forcelist=[502, 503]))
        response = session.get(proxy.url + "/openai/v1/models")
        self.assertEqual((response.status_code, len(upstream.requests)), (200, 3))
        self.assertEqual(response.raw.retries.history, ())

    def session(self, retry):
        session = requests.Session()
        session.mount("http://", HTTPAdapter(max_retries=retry))
        self.addCleanup(session.close)
        return session


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
        self.assertRegex(message, r"llm.toml:7: unknown field `retires`.*`retries`.*stays in force\n$")
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
