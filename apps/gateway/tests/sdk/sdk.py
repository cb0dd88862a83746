"""The gateway, asked by the SDKs of OpenAI and Anthropic, and by requests.

Usage: sdk.py PROGRAM [unittest's own arguments]
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
from gateway import KEY, POLICY, Gateway, service
from upstream import WORDS, BreaksOff, Fails, Upstream, openai_events

ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
TEXT = "".join(WORDS)
# Two retries.
DEFAULT = {}
NO_RETRIES = {"max_retries": 0}


class Case(unittest.TestCase):
    def upstream(self, *plan, always=None):
        upstream = Upstream(plan, always)
        self.addCleanup(upstream.stop)
        return upstream

    def gateway(self, config, **more):
        running = Gateway(config, **more)
        self.addCleanup(running.stop)
        return running

    def openai(self, running, path="openai", key="the-clients-own", **more):
        client = openai.OpenAI(base_url=f"{running.url}/{path}/v1", api_key=key, organization="org-client", **more)
        self.addCleanup(client.close)
        return client

    def anthropic(self, running, **more):
        client = anthropic.Anthropic(base_url=f"{running.url}/anthropic", api_key="the-clients-own", **more)
        self.addCleanup(client.close)
        return client

    def ask(self, client):
        if isinstance(client, openai.OpenAI):
            return client.chat.completions.create(**ASK).choices[0].message.content
        return client.messages.create(max_tokens=9, **ASK).content[0].text

    def both(self, running, **more):
        yield self.openai(running, **more)
        yield self.anthropic(running, **more)


class Answers(Case):
    def test_a_good_answer_passes_and_the_key_is_the_gateways(self):
        one, two = self.upstream(), self.upstream()
        config = service("openai", one.url + "/base") + service(
            "anthropic", two.url, key='api_key_env = "KEY"\napi_key_header = "x-api-key"')
        for client in self.both(self.gateway(POLICY + config)):
            self.assertEqual(self.ask(client), TEXT)
        seen = one.requests[0]
        self.assertEqual(seen["path"], "/base/v1/chat/completions")
        self.assertEqual(seen["headers"]["authorization"], f"Bearer {KEY}")
        self.assertNotIn("openai-organization", seen["headers"])
        self.assertEqual(two.requests[0]["path"], "/v1/messages")
        self.assertEqual(two.requests[0]["headers"]["x-api-key"], KEY)
        self.assertIn("anthropic-version", two.requests[0]["headers"])
        for upstream in (one, two):
            self.assertNotIn("the-clients-own", str(upstream.requests[0]["headers"]))

    def test_without_a_key_the_clients_own_is_passed_on(self):
        upstream = self.upstream()
        self.ask(self.openai(self.gateway(service("openai", upstream.url, key=""))))
        self.assertEqual(upstream.requests[0]["headers"]["authorization"], "Bearer the-clients-own")
        self.assertEqual(upstream.requests[0]["headers"]["openai-organization"], "org-client")

    def test_no_key_is_in_the_log_nor_in_what_it_tells_of_itself(self):
        down, cut = self.upstream(always=Fails(502)), self.upstream(BreaksOff(3))
        config = POLICY + service("openai", down.url) + service("cut", cut.url)
        running = self.gateway(config + service("refused", "http://127.0.0.1:1"), log="trace")
        for path in ("openai", "refused"):
            with self.assertRaises(openai.APIError):
                self.ask(self.openai(running, path, **NO_RETRIES))
        with self.assertRaises(Exception):
            list(self.openai(running, "cut").chat.completions.create(stream=True, **ASK))
        metrics = requests.get(running.url + "/metrics").text
        with requests.get(running.url + "/@/events", stream=True) as page:
            page_told = next(page.iter_lines()).decode()
        self.assertIn("seawall_attempts_total", metrics)
        self.assertIn('"status":502', page_told)
        running.stop()
        self.assertIn("/v1/chat/completions", running.log)
        self.assertIn('"level":"TRACE"', running.log)
        for secret in (KEY, "the-clients-own"):
            for told in (running.log, metrics, page_told):
                self.assertNotIn(secret, told)


class Streams(Case):
    def test_events_arrive_one_by_one(self):
        upstream = self.upstream()
        running = self.gateway(service("openai", upstream.url) + service("anthropic", upstream.url))

        def openai_words():
            for event in self.openai(running).chat.completions.create(stream=True, **ASK):
                if event.choices[0].delta.content:
                    yield event.choices[0].delta.content

        def anthropic_words():
            with self.anthropic(running).messages.stream(max_tokens=9, **ASK) as stream:
                yield from stream.text_stream

        for words, before, after in ((openai_words(), 1, 2), (anthropic_words(), 3, 3)):
            # The upstream sends a word only when the one before it has arrived.
            upstream.gate = threading.Semaphore(before)
            for word in WORDS:
                upstream.gate.release()
                self.assertEqual(next(words), word)
            for _ in range(after):
                upstream.gate.release()
            self.assertEqual(list(words), [])

    def test_the_bytes_of_a_stream_are_the_upstreams(self):
        running = self.gateway(service("openai", self.upstream().url))
        url = running.url + "/openai/v1/chat/completions"
        with requests.post(url, json={"stream": True, **ASK}, stream=True) as answer:
            self.assertEqual(answer.headers["content-type"], "text/event-stream; charset=utf-8")
            self.assertEqual(answer.raw.read(), b"".join(openai_events()))

    def test_a_stream_that_breaks_off_is_an_error_and_is_not_sent_again(self):
        upstream = self.upstream(always=BreaksOff(3))
        running = self.gateway(POLICY + service("openai", upstream.url) + service("anthropic", upstream.url))
        words = []
        with self.assertRaises(Exception) as raised:
            for event in self.openai(running).chat.completions.create(stream=True, **ASK):
                words.append(event.choices[0].delta.content)
        self.assertEqual((words, len(upstream.requests)), (WORDS[:2], 1), raised.exception)
        with self.assertRaises(Exception):
            with self.anthropic(running).messages.stream(max_tokens=9, **ASK) as stream:
                list(stream.text_stream)
        self.assertEqual(len(upstream.requests), 2)
        running.until_logged('"seawall.cause":"http_response_incomplete"')
        metrics = requests.get(running.url + "/metrics").text
        # By who breaks off, and by whom the client was told so.
        for name in ("http_client_request_duration_count", "http_server_request_duration_count"):
            lines = [line for line in metrics.splitlines()
                     if line.startswith(name) and 'error_type="http_response_incomplete"' in line]
            self.assertTrue(lines and lines[0].rsplit(" ", 1)[1] in "12", metrics)


class Failures(Case):
    def test_429_is_waited_for_as_its_milliseconds_say(self):
        for status in (429, 529, 503):
            upstream = self.upstream(Fails(status, {"retry-after-ms": "400", "retry-after": "9"}))
            running = self.gateway(POLICY + service("openai", upstream.url))
            self.assertEqual(self.ask(self.openai(running, **NO_RETRIES)), TEXT)
            first, second = [request["at"] for request in upstream.requests]
            self.assertTrue(0.4 <= second - first < 2, second - first)

    def test_a_wait_that_one_upstream_asks_for_is_spent_at_another(self):
        busy, free = self.upstream(always=Fails(429, {"retry-after": "15"})), self.upstream()
        running = self.gateway(POLICY + service("openai", busy.url, free.url))
        client = self.openai(running, **NO_RETRIES)
        started = time.monotonic()
        for _ in range(20):
            self.assertEqual(self.ask(client), TEXT)
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual((len(busy.requests), len(free.requests)), (1, 20))

    def test_one_upstream_that_fails_is_no_failure(self):
        for failure in (Fails(502), Fails(529), Fails(500), Fails(503)):
            down, up = self.upstream(always=failure), self.upstream()
            running = self.gateway(POLICY + service("openai", down.url, up.url))
            client = self.openai(running, **NO_RETRIES)
            self.assertEqual([self.ask(client) for _ in range(12)], [TEXT] * 12)

    def test_a_refused_connection_is_sent_again_even_if_nothing_else_is(self):
        up = self.upstream()
        config = service("openai", "http://127.0.0.1:1", up.url)
        client = self.openai(self.gateway(config), **NO_RETRIES)
        self.assertEqual([self.ask(client) for _ in range(12)], [TEXT] * 12)

    def test_unless_the_file_allows_it_what_may_have_been_processed_is_sent_once(self):
        upstream = self.upstream(always=Fails(502))
        running = self.gateway(service("openai", upstream.url))
        with self.assertRaises(openai.InternalServerError):
            self.ask(self.openai(running, **NO_RETRIES))
        self.assertEqual(len(upstream.requests), 1)

    def test_an_error_of_the_request_is_nobodys_to_mend(self):
        upstream = self.upstream(always=Fails(400))
        running = self.gateway(POLICY + service("openai", upstream.url))
        with self.assertRaises(openai.BadRequestError) as raised:
            self.ask(self.openai(running))
        self.assertIn("failed on purpose", str(raised.exception))
        self.assertEqual(len(upstream.requests), 1)

    def test_x_should_retry_is_obeyed(self):
        no = self.upstream(always=Fails(503, {"x-should-retry": "false"}))
        yes = self.upstream(Fails(418, {"x-should-retry": "true"}))
        running = self.gateway(POLICY + service("openai", no.url) + service("anthropic", yes.url))
        with self.assertRaises(openai.InternalServerError):
            self.ask(self.openai(running))
        self.assertEqual(len(no.requests), 1)
        self.assertEqual(self.ask(self.anthropic(running, **NO_RETRIES)), TEXT)
        self.assertEqual(len(yes.requests), 2)


class Multiplying(Case):
    """Nobody tries again what somebody else has tried often enough."""

    def test_after_the_gateway_gave_up_the_sdk_does_not_begin_again(self):
        for failure, error in ((Fails(502), "InternalServerError"), (Fails(529), "InternalServerError"),
                               (Fails(429, {"retry-after-ms": "10"}), "RateLimitError")):
            for kind, retries in ((openai, DEFAULT), (anthropic, DEFAULT), (openai, NO_RETRIES), (anthropic, NO_RETRIES)):
                upstream = self.upstream(always=failure)
                running = self.gateway(POLICY + service(kind.__name__, upstream.url))
                client = getattr(self, kind.__name__)(running, **retries)
                with self.assertRaises(kind.APIStatusError) as raised:
                    self.ask(client)
                said = raised.exception
                self.assertEqual((said.status_code, len(upstream.requests)), (failure.status, 4))
                self.assertEqual(said.response.headers["x-should-retry"], "false")
                self.assertIn("failed on purpose", said.response.text)
                running.stop()

    def test_without_the_gateway_it_does(self):
        upstream = self.upstream(always=Fails(502))
        direct = openai.OpenAI(base_url=upstream.url + "/v1", api_key="k")
        with self.assertRaises(openai.InternalServerError):
            self.ask(direct)
        self.assertEqual(len(upstream.requests), 3)

    def test_of_three_hops_that_retry_the_last_is_sent_four_requests(self):
        for always in (Fails(502), None):
            upstream = self.upstream(always=always)
            url = upstream.url if always else "http://127.0.0.1:1"
            inner = self.gateway(POLICY + service("openai", url))
            outer = self.gateway(POLICY + service("openai", inner.url + "/openai"))
            with self.assertRaises(openai.InternalServerError) as raised:
                self.ask(self.openai(outer))
            self.assertEqual(raised.exception.status_code, 502)
            metrics = requests.get(inner.url + "/metrics").text
            attempts = [float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines()
                        if line.startswith("seawall_attempts_total{")]
            self.assertEqual(sum(attempts), 4, metrics)
            self.assertEqual(len(upstream.requests), 4 if always else 0)

    def test_urllib3_which_knows_nothing_of_that_is_stopped_by_the_circuit(self):
        upstream = self.upstream(always=Fails(502))
        running = self.gateway(POLICY + service("openai", upstream.url))
        session = self.session(Retry(total=10, status_forcelist=[502, 503], allowed_methods=None,
                                     raise_on_status=False, respect_retry_after_header=False))
        answer = session.post(running.url + "/openai/v1/chat/completions", json=ASK)
        self.assertEqual((answer.status_code, len(answer.raw.retries.history)), (503, 10))
        # In place of 44: the fifth failure opens the circuit.
        self.assertEqual(len(upstream.requests), 5)

    def test_urllib3_sees_a_success_that_took_three_attempts(self):
        upstream = self.upstream(Fails(502), Fails(503))
        running = self.gateway(service("openai", upstream.url))
        session = self.session(Retry(total=3, status_forcelist=[502, 503]))
        answer = session.get(running.url + "/openai/v1/models")
        self.assertEqual((answer.status_code, len(upstream.requests)), (200, 3))
        self.assertEqual(answer.raw.retries.history, ())

    def session(self, retry):
        session = requests.Session()
        session.mount("http://", HTTPAdapter(max_retries=retry))
        self.addCleanup(session.close)
        return session


class Refusals(Case):
    def test_when_every_circuit_is_open_the_answer_comes_at_once_and_all_is_well_again_soon(self):
        downs = [self.upstream(always=Fails(502)) for _ in range(2)]
        policy = POLICY + "retries = 0\nopen_after = 2\n"
        running = self.gateway(policy + service("openai", *[down.url for down in downs]))
        url = running.url + "/openai/v1/chat/completions"
        for _ in range(20):
            if requests.post(url, json=ASK).status_code == 503:
                break
        sent = [len(down.requests) for down in downs]
        self.assertEqual(sent, [2, 2])
        started = time.monotonic()
        answer = requests.post(url, json=ASK)
        self.assertLess(time.monotonic() - started, 0.5)
        self.assertEqual(answer.status_code, 503)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertEqual(answer.json()["cause"], "circuit_open")
        self.assertIn(answer.headers["retry-after"], "12")
        # As anybody's clients would do, the SDK waits as long and asks again.
        for down in downs:
            down.always = None
        self.assertEqual(self.ask(self.openai(running)), TEXT)

    def test_who_asks_too_often_is_told_when_to_come_back(self):
        upstream = self.upstream()
        limit = "[limit]\nrequests_per_minute = 60\nburst = 3\n"
        running = self.gateway(limit + service("openai", upstream.url))
        client = self.openai(running, **NO_RETRIES)
        for _ in range(3):
            self.ask(client)
        with self.assertRaises(openai.RateLimitError) as raised:
            self.ask(client)
        headers = raised.exception.response.headers
        self.assertEqual((headers["retry-after"], headers["content-type"]), ("1", "application/problem+json"))
        self.assertNotIn("x-should-retry", headers)
        self.assertEqual(len(upstream.requests), 3)
        self.assertEqual(self.ask(self.openai(running)), TEXT)

    def test_clients_are_known_by_their_tokens_and_limited_each_for_itself(self):
        upstream = self.upstream()
        clients = "".join(f'[[client]]\nname = "{name}"\ntoken_env = "{name.upper()}"\n' for name in ("ann", "bob"))
        limit = "[limit]\nrequests_per_minute = 1\nburst = 2\n"
        running = self.gateway(
            limit + clients + service("openai", upstream.url), ANN="tok-ann", BOB="tok-bob")
        for token in ("tok-ann", "tok-bob"):
            client = self.openai(running, key=token, **NO_RETRIES)
            self.ask(client)
            self.ask(client)
            with self.assertRaises(openai.RateLimitError):
                self.ask(client)
        for wrong in ("tok-an", "tok-annn", "x", KEY):
            with self.assertRaises(openai.AuthenticationError):
                self.ask(self.openai(running, key=wrong))
        seen = str(upstream.requests)
        self.assertEqual(len(upstream.requests), 4)
        self.assertNotIn("tok-", seen)
        running.stop()
        self.assertNotIn("tok-", running.log)

    def test_a_web_page_cannot_use_the_keys(self):
        upstream = self.upstream()
        running = self.gateway(service("openai", upstream.url))
        url = running.url + "/openai/v1/chat/completions"
        for headers in ({"sec-fetch-site": "cross-site"}, {"host": "evil.example"}):
            self.assertEqual(requests.post(url, json=ASK, headers=headers).status_code, 403)
        self.assertEqual(upstream.requests, [])


class Reading(Case):
    def test_a_stream_goes_on_under_the_old_file_while_the_new_one_holds(self):
        old, new = self.upstream(), self.upstream()
        running = self.gateway(service("openai", old.url))
        old.gate = threading.Semaphore(2)
        stream = iter(self.openai(running).chat.completions.create(stream=True, **ASK))
        words = [next(stream).choices[0].delta.content]
        running.write(service("openai", new.url))
        self.assertIn("read again", running.read_again())
        self.assertEqual(self.ask(self.openai(running)), TEXT)
        self.assertEqual(len(new.requests), 1)
        for _ in range(5):
            old.gate.release()
        words += [event.choices[0].delta.content for event in stream]
        self.assertEqual(words[:3], WORDS)

    def test_a_bad_file_changes_nothing_and_is_named_in_one_line(self):
        upstream = self.upstream()
        good = service("openai", upstream.url)
        running = self.gateway(good)
        running.write(good + "[policy]\nretires = 3\n")
        said = running.read_again()
        self.assertRegex(said, r"llm.toml:7: unknown field `retires`.*`retries`.*stays in force\n$")
        self.assertEqual(self.ask(self.openai(running)), TEXT)

    def test_circuits_of_what_did_not_change_are_kept(self):
        down, up = self.upstream(always=Fails(502)), self.upstream()
        policy = POLICY + "retries = 0\nopen_after = 1\n"
        running = self.gateway(policy + service("openai", down.url))
        url = running.url + "/openai/v1/chat/completions"
        self.assertEqual(requests.post(url, json=ASK).status_code, 502)
        running.write(policy + service("openai", down.url) + service("other", up.url))
        running.read_again()
        self.assertEqual(requests.post(url, json=ASK).status_code, 503)
        self.assertEqual(requests.post(url.replace("openai", "other"), json=ASK).status_code, 200)
        self.assertEqual(len(down.requests), 1)


if __name__ == "__main__":
    gateway.PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
