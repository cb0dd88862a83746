"""Upstreams that speak as OpenAI and Anthropic do, and fail as they are told."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = ["one", " two", " three"]


def openai_answer():
    return json.dumps({
        "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": "".join(WORDS)}}],
    }).encode()


def openai_events():
    """Also what parsers must skip or take: a comment, CRLF, a line in two data fields."""
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


def anthropic_answer():
    return json.dumps({
        "id": "m1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 3},
        "content": [{"type": "text", "text": "".join(WORDS)}],
    }).encode()


def anthropic_events():
    def event(name, **more):
        return f"event: {name}\ndata: {json.dumps({'type': name, **more})}\n\n".encode()
    message = json.loads(anthropic_answer()) | {"content": [], "stop_reason": None}
    yield event("message_start", message=message)
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield event("ping")
    for word in WORDS:
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield event("content_block_stop", index=0)
    yield event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None},
                usage={"output_tokens": 3})
    yield event("message_stop")


class Fails:
    """A status, with headers and a body."""

    def __init__(self, status, headers=None, body=b'{"error": {"message": "failed on purpose", "type": "t"}}'):
        self.status, self.headers, self.body = status, headers or {}, body


class BreaksOff:
    """A stream that ends after so many events, without the end of its chunks."""

    def __init__(self, after):
        self.after = after


class Upstream:
    """Answers each request by the next step of its plan, and well when there is none left; or always by `always`."""

    def __init__(self, plan=(), always=None):
        self.plan, self.always = list(plan), always
        self.requests = []
        # With a gate, an event of a stream is sent only when somebody lets it pass.
        self.gate = None
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                self.answer(b"")

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers.get("content-length", 0))))

            def answer(self, body):
                upstream.answer(self, body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, to, body):
        self.requests.append({
            "path": to.path, "body": body, "at": time.monotonic(),
            "headers": {name.lower(): value for name, value in to.headers.items()},
        })
        step = self.plan.pop(0) if self.plan else self.always
        asked = json.loads(body) if body else {}
        if isinstance(step, Fails):
            self.whole(to, step.status, step.headers, step.body)
        elif asked.get("stream"):
            self.stream(to, step.after if isinstance(step, BreaksOff) else None)
        elif "messages" in to.path:
            self.whole(to, 200, {}, anthropic_answer())
        else:
            self.whole(to, 200, {}, openai_answer())

    @staticmethod
    def whole(to, status, headers, body):
        to.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            to.send_header(name, value)
        to.send_header("content-length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    def stream(self, to, after):
        to.send_response(200)
        to.send_header("content-type", "text/event-stream; charset=utf-8")
        to.send_header("transfer-encoding", "chunked")
        to.end_headers()
        events = anthropic_events() if "messages" in to.path else openai_events()
        for number, event in enumerate(events):
            if number == after:
                to.close_connection = True
                return
            if self.gate is not None and not self.gate.acquire(timeout=20):
                raise TimeoutError("nobody let the event pass")
            to.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        to.wfile.write(b"0\r\n\r\n")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
