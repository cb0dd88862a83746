"""Counts the requests at the upstream for one call of each SDK through the gateway.

Usage: amplification.py PROGRAM [SECONDS]

The SDKs wait for real, all at the same time. Some wait through `Retry-After: 300`; their calls are
given up when all others have ended, but not before SECONDS. SDK_NODE is a folder with the packages of
`node/package.json`; without it, only the Python SDKs are called.
"""

import logging
import sys
import threading
import time
import unittest

import gateway
from calls import SDKS
from failures import FAILURES
from gateway import POLICY, Gateway, service
from second_client import FailingUpstream, SecondClient

# Larger numbers of requests are allowed only to SDKs that send them without a gateway, too.
MAX_REQUESTS = 4
# Only prevents that a broken call hangs.
HANG_LIMIT = 180
MIN_SECONDS = 0


class Cell:
    """One call of an SDK to an upstream with one failure."""

    def __init__(self, sdk, column, upstream, url):
        self.sdk, self.column, self.upstream = sdk, column, upstream
        self.url = url
        self.error = None
        self.second = SecondClient(url + sdk.path)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            self.sdk.call(self.url, self.column == "error event first")
        except Exception as error:
            self.error = error

    @property
    def may_wait(self):
        """Whether the SDK may wait for minutes."""
        return self.column == "429, Retry-After 300"


def run_row(sdk, cleanup):
    """Starts the calls of an SDK through a gateway of its own, with one service per failure."""
    upstreams = [FailingUpstream(failure) for failure in FAILURES.values()]
    for upstream in upstreams:
        cleanup(upstream.stop)
    names = [f"service{number}" for number in range(len(upstreams))]
    config = "".join(service(name, upstream.url, key="") for name, upstream in zip(names, upstreams))
    proxy = Gateway(POLICY + config, log="warn")
    cleanup(proxy.stop)
    return [Cell(sdk, column, upstream, f"{proxy.url}/{name}")
            for column, upstream, name in zip(FAILURES, upstreams, names)]


def print_table(cells):
    print("\n| SDK | " + " | ".join(FAILURES) + " |")
    print("|---|" + "---:|" * len(FAILURES))
    for sdk in SDKS:
        counts = [str(len(cell.upstream.requests)) for cell in cells if cell.sdk is sdk]
        print(f"| {sdk.name} | " + " | ".join(counts) + " |")
    print(flush=True)


class Amplification(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        started = time.monotonic()
        cls.cells = [cell for sdk in SDKS for cell in run_row(sdk, cls.addClassCleanup)]
        for cell in cls.cells:
            if not cell.may_wait:
                cell.thread.join(HANG_LIMIT)
        time.sleep(max(0, MIN_SECONDS - (time.monotonic() - started)))
        for cell in cls.cells:
            cell.second.stop()
        print_table(cls.cells)

    def test_call_ends(self):
        for cell in self.cells:
            if not cell.may_wait:
                with self.subTest(sdk=cell.sdk.name, failure=cell.column):
                    self.assertFalse(cell.thread.is_alive())

    def test_upstream_gets_at_most_four_requests_for_one_call(self):
        for cell in self.cells:
            with self.subTest(sdk=cell.sdk.name, failure=cell.column):
                count = len(cell.upstream.requests)
                self.assertGreaterEqual(count, 1, cell.error)
                self.assertLessEqual(count, max(MAX_REQUESTS, cell.sdk.own_calls))

    def test_second_client_is_never_refused(self):
        for cell in self.cells:
            with self.subTest(sdk=cell.sdk.name, failure=cell.column):
                self.assertEqual(list(cell.second.outcomes), [200], cell.second.outcomes)


if __name__ == "__main__":
    # cohere logs events that it does not know.
    logging.disable()
    gateway.PROGRAM = sys.argv.pop(1)
    if len(sys.argv) > 1:
        MIN_SECONDS = float(sys.argv.pop(1))
    # SDKs that still wait hold their connections.
    unittest.main(verbosity=2, warnings="ignore")
