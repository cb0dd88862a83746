"""A client whose requests the upstream answers with 200, whatever fails for others."""

import http.client
import json
import threading
from urllib.parse import urlsplit

from upstream import Upstream, openai_response, send_body

AUTHORIZATION = "Bearer second-key"
INTERVAL = 0.1


class SecondClient:
    """Sends a request every 100 ms in a thread of its own."""

    def __init__(self, url):
        self.url = urlsplit(url)
        # The number of responses by status, or by the error instead of one.
        self.outcomes = {}
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        connection = http.client.HTTPConnection(self.url.netloc, timeout=60)
        headers = {"authorization": AUTHORIZATION, "content-type": "application/json"}
        body = json.dumps({"prompt": "another"})
        while not self.stopped.wait(INTERVAL):
            try:
                connection.request("POST", self.url.path, body, headers)
                response = connection.getresponse()
                response.read()
                outcome = response.status
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                outcome = repr(error)
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    def stop(self):
        self.stopped.set()
        self.thread.join()


class FailingUpstream(Upstream):
    """Fails for every client but the second, whose requests it does not record."""

    def __init__(self, failure):
        super().__init__(default=failure)

    def respond(self, handler, body):
        if handler.headers.get("authorization") == AUTHORIZATION:
            return send_body(handler, 200, {}, openai_response())
        return super().respond(handler, body)
