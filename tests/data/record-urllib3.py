"""Records the decisions of urllib3's retry loop for tests/it/urllib3.rs.

    pip install urllib3==2.8.0
    python tests/data/record-urllib3.py COUNT SEED > tests/data/urllib3-more.jsonl

Each line has the arguments of urllib3.Retry, a method, a script of outcomes (the last one
repeats), and the result of HTTPConnectionPool.urlopen. Sleeps are recorded instead of slept, and
redirects are off. The values cover more cases than urllib3-vectors.jsonl: disabled counters,
statuses below 400 in the forcelist, jitter, limits of zero, dates and unusual methods.
"""

import json
import random
import sys
import warnings

import urllib3
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.response import HTTPResponse
from urllib3.util import retry

# An empty list of methods still means any method.
warnings.simplefilter("ignore", FutureWarning)

sleeps = []
retry.time.sleep = sleeps.append


class Pool(HTTPConnectionPool):
    def __init__(self, script):
        super().__init__("upstream")
        self.script, self.sent = script, 0

    def _make_request(self, conn, method, url, **_):
        step = self.script[min(self.sent, len(self.script) - 1)]
        self.sent += 1
        match step.get("error"):
            case None:
                return HTTPResponse(
                    status=step["status"], headers=step.get("headers", {}), preload_content=False
                )
            case "connect_timeout":
                raise ConnectTimeoutError(conn, "scripted")
            case "connection_refused":
                raise NewConnectionError(conn, "scripted")
            case "read_timeout":
                raise ReadTimeoutError(self, url, "scripted")
            case "connection_reset":
                raise ConnectionResetError(104, "scripted")
            case "tls":
                raise SSLError("scripted")


def run(config, method, script):
    sleeps.clear()
    arguments = dict(config)
    if arguments.get("allowed_methods") == "any":
        arguments["allowed_methods"] = None
    pool = Pool(script)
    try:
        retries = retry.Retry(**arguments)
        response = pool.urlopen(method, "/", retries=retries, redirect=False, preload_content=False)
        end = {"status": response.status}
    except MaxRetryError as error:
        end = {"gave_up_on": type(error.reason).__name__}
    except Exception as error:
        end = {"raised": type(error).__name__}
    return {"attempts": pool.sent, "sleeps": list(sleeps), "end": end}


METHODS = ["GET", "GET", "POST", "PUT", "PATCH", "HEAD", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
FORCELISTS = [
    [], [502, 503, 504], [502], [429, 500, 502, 503, 504], [404], [200], [202, 503, 599], [408, 413]
]
STATUSES = [502, 502, 502, 503, 503, 504, 500, 429, 413, 404, 408, 599, 200, 202, 301, 304, 400, 999]
ERRORS = ["connect_timeout", "connection_refused", "read_timeout", "connection_reset", "tls"]
# One date in the past and one beyond any limit, so that the recording does not depend on the time.
WAITS = [
    "0", "1", "3", " 7 ", "120", "99999999", "00", "007",
    "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 GMT",
]


def vector(choose, number):
    config = {}

    def maybe(part, name, values):
        if choose.random() < part:
            config[name] = choose.choice(values)

    maybe(0.9, "total", [0, 1, 2, 3, 5, 10, None, None])
    for counter in ["connect", "read", "status", "other"]:
        maybe(0.35, counter, [0, 0, 1, 2, 3, None, False])
    maybe(0.03, "total", [False])
    maybe(0.9, "status_forcelist", FORCELISTS)
    maybe(0.8, "backoff_factor", [0, 0.1, 0.5, 1, 2, 7.25, 100])
    maybe(0.3, "backoff_max", [0, 0.5, 1, 5, 30, 1000])
    maybe(0.1, "backoff_jitter", [0, 0.25, 3])
    maybe(0.3, "allowed_methods", ["any", ["GET"], ["POST", "GET"], ["PATCH"], []])
    maybe(0.3, "raise_on_status", [True, False])
    maybe(0.3, "respect_retry_after_header", [True, False])
    maybe(0.3, "retry_after_max", [0, 1, 5, 10, 100])

    script = []
    for _ in range(choose.randint(0, 12)):
        if choose.random() < 0.5:
            step = {"status": choose.choice(STATUSES)}
            if choose.random() < 0.4:
                step["headers"] = {choose.choice(["Retry-After", "retry-after"]): choose.choice(WAITS)}
        else:
            step = {"error": choose.choice(ERRORS)}
        script.append(step)
    # Without a total, only a status that is never retried ends the loop.
    ends = config.get("total", 10) is None or not script or choose.random() < 0.8
    if ends:
        script.append({"status": 201})
    method = choose.choice(METHODS)
    ran = run(config, method, script)
    return {"id": f"more-{number}", "config": config, "method": method, "script": script, "urllib3": ran}


count, seed = int(sys.argv[1]), int(sys.argv[2])
chooser = random.Random(seed)
print(json.dumps({"about": "recorded by record-urllib3.py", "seed": seed, "urllib3": urllib3.__version__}))
for number in range(count):
    print(json.dumps(vector(chooser, number)))
