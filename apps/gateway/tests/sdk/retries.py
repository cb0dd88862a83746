"""Retries of the gateway, and of the clients behind it."""

import time

import anthropic
import openai
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from case import DEFAULT_RETRIES, NO_RETRIES, REQUEST, TEXT, GatewayTestCase
from gateway import POLICY, service
from upstream import ErrorResponse


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
