"""Mock upstreams with OpenAI's and Anthropic's protocols and scripted failures."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = ["one", " two", " three"]


def openai_response():
    return json.dumps({
        "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": "".join(WORDS)}}],
    }).encode()


def openai_events():
    """Includes a comment and CRLF line endings, which parsers must accept."""
    def chunk(delta, reason=None):
        return json.dumps({
            "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        })
    yield b": keep-alive\n\n"
    for word in WORDS:
        yield f"data: {chunk({'content': word})}\r\n\r\n".encode()
    yield f"data: {chunk({}, 'stop')}\n\n".encode()
    yield b"data: [DONE]\n\n"


def anthropic_response():
    return json.dumps({
        "id": "m1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 3},
        "content": [{"type": "text", "text": "".join(WORDS)}],
    }).encode()


def anthropic_events():
    def event(name, **fields):
        return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()
    message = json.loads(anthropic_response()) | {"content": [], "stop_reason": None}
    yield event("message_start", message=message)
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield event("ping")
    for word in WORDS:
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield event("content_block_stop", index=0)
    yield event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None},
                usage={"output_tokens": 3})
    yield event("message_stop")


def send_body(handler, status, headers, body):
    handler.send_response(status)
    for name, value in {"content-type": "application/json", **headers}.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


class ErrorResponse:
    """A failed response."""

    def __init__(self, status, headers=None, body=b'{"error": {"message": "failed on purpose", "type": "t"}}'):
        self.status, self.headers, self.body = status, headers or {}, body

    def send(self, handler):
        send_body(handler, self.status, self.headers, self.body)


class InterruptedStream:
    """A stream whose connection closes after `events` events."""

    def __init__(self, events):
        self.events = events


class Upstream:
    """Plays its script, one step per request, and then repeats `default`. A step of `None` is a success."""

    def __init__(self, script=(), default=None):
        self.script, self.default = list(script), default
        self.requests = []
        # A semaphore whose permits limit the number of streamed events.
        self.event_permits = None
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                self.respond(b"")

            def do_POST(self):
                self.respond(self.rfile.read(int(self.headers.get("content-length", 0))))

            def respond(self, body):
                upstream.respond(self, body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def respond(self, handler, body):
        self.requests.append({
            "path": handler.path, "body": body, "at": time.monotonic(),
            "headers": {name.lower(): value for name, value in handler.headers.items()},
        })
        step = self.script.pop(0) if self.script else self.default
        request = json.loads(body) if body else {}
        if hasattr(step, "send"):
            step.send(handler)
        elif request.get("stream"):
            self.send_stream(handler, step.events if isinstance(step, InterruptedStream) else None)
        elif "messages" in handler.path:
            send_body(handler, 200, {}, anthropic_response())
        else:
            send_body(handler, 200, {}, openai_response())

    def send_stream(self, handler, limit):
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream; charset=utf-8")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        events = anthropic_events() if "messages" in handler.path else openai_events()
        for number, event in enumerate(events):
            if number == limit:
                handler.close_connection = True
                return
            if self.event_permits is not None and not self.event_permits.acquire(timeout=20):
                raise TimeoutError("no permit for the event")
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        handler.wfile.write(b"0\r\n\r\n")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
