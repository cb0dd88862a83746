"""The failures of an upstream that SDKs react to in different ways."""

import json

from upstream import ErrorResponse


class ClosedConnection:
    """The connection ends without a response."""

    def send(self, handler):
        handler.close_connection = True


class CutResponse:
    """A response that ends in the middle of its JSON."""

    def send(self, handler):
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"id": "c1", "choices": [{"ind')
        handler.close_connection = True


class ErrorEvent:
    """A stream that starts with an error, in the format of the path."""

    def send(self, handler):
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "failed on purpose", "code": 503}}
        event = f"data: {json.dumps(error)}\n\n"
        if handler.path.endswith("/messages"):
            event = "event: error\n" + event
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("content-length", str(len(event)))
        handler.end_headers()
        handler.wfile.write(event.encode())


PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"

# The columns of the table. Only a stream can start with an error.
FAILURES = {
    "502 page": ErrorResponse(502, {"content-type": "text/html"}, PAGE),
    "connection closed": ClosedConnection(),
    "429": ErrorResponse(429),
    "429, Retry-After 300": ErrorResponse(429, {"retry-after": "300"}),
    "JSON cut": CutResponse(),
    "error event first": ErrorEvent(),
}
