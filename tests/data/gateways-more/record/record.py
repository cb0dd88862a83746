#!/usr/bin/env python3
"""Records the responses of real gateways in front of a failing origin.

usage: record.py [NAME ...]      (default: every file in gateways/)
       ADD=SCENARIO[,SCENARIO] record.py NAME ...   (adds to the files in out/)
       record.py --known         (only recomputes `known` in the files in out/)

Each gateway has a file gateways/NAME.py (see gateways/README.md). The output is
out/NAME.jsonl, one capture per line, in the format of data/gateways/README.md.
Uses only the standard library. Everything runs on loopback, in a temporary
directory and on free ports. Each process has its own process group, which is
ended at the end.
"""
import base64, importlib.util, json, os, re, shutil, signal, socket, ssl, struct
import subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = "api.example.com"            # the Host header of clients
BAD_NAME = "no-such-host.invalid"   # RFC 6761: never resolves
X100 = b"x" * 100

# ---------------------------------------------------------------- the truth
def T(cause, also=(), reporter="gateway", processed="no"):
    return {"cause": cause, "also": list(also), "reporter": reporter, "processed": processed}

TERMINATED = T("connection_terminated", ["http_response_incomplete"], processed="maybe")
TRUTH = {
    "refused": T("connection_refused"),
    "connect_timeout": T("connection_timeout"),
    "accept_close": TERMINATED,
    "reset": TERMINATED,
    "silent": T("http_response_timeout", ["connection_read_timeout"], processed="maybe"),
    "garbage": T("http_protocol_error", processed="maybe"),
    "truncated": T("http_response_incomplete", ["connection_terminated"], processed="yes"),
    "truncated_chunked": T("http_response_incomplete",
                           ["connection_terminated", "http_response_transfer_coding"], processed="yes"),
    "truncated_headers": T("http_response_incomplete",
                           ["connection_terminated", "http_protocol_error"], processed="yes"),
    "huge_headers": T("http_response_header_size", ["http_response_header_section_size"], processed="yes"),
    "stalled_body": T("connection_read_timeout",
                      ["http_response_timeout", "http_response_incomplete"], processed="yes"),
    "unresolvable": T("dns_error", ["destination_not_found"]),
    "origin_500": T("origin_error", [], "origin", "yes"),
    "origin_502": T("origin_error", [], "origin", "yes"),
    "origin_503_retry_after": T("origin_error", ["overloaded"], "origin", "yes"),
    "origin_504": T("origin_error", [], "origin", "yes"),
    "origin_429_retry_after": T("rate_limited", [], "origin", "no"),
    "nested_nginx_502": T("unknown", ["connection_refused"], "inner_gateway", "maybe"),
    # The scripted origin imitates an Envoy that could not connect and sent
    # nothing. The bytes are those of `refused` in envoy.jsonl.
    "nested_envoy_503": T("connection_refused", ["tls_protocol_error", "tls_certificate_error", "unknown"],
                          "inner_gateway", "no"),
    "bad_tls": T("tls_protocol_error"),
    "tls_untrusted_cert": T("tls_certificate_error"),
    "no_backend": T("destination_unavailable"),
    "connection_limit": T("connection_limit_reached", ["overloaded"]),
    "gateway_rate_limited": T("rate_limited", ["http_request_denied"]),
    "stale_keepalive": TERMINATED,
    # The origin reads the request, closes the connection and stops listening. The retry of a gateway
    # is then refused, and the gateway may respond as if it had sent nothing.
    "closed_then_refused": T("connection_refused", ["connection_terminated", "http_response_incomplete"],
                             processed="maybe"),
    # The same on a connection that was used before.
    "stale_then_refused": T("connection_refused", ["connection_terminated", "http_response_incomplete"],
                            processed="maybe"),
    "ok": T("none", [], "origin", "yes"),
}
SCENARIOS = list(TRUTH)

# --------------------------------------------------------------- the origin
def answer(line, body, *headers, ctype="application/json", length=None):
    head = ["HTTP/1.1 " + line, "Content-Type: " + ctype,
            "Content-Length: %d" % (len(body) if length is None else length), *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body

RID = "X-Request-Id: req-1"
NGINX = (b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
         b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0 (Ubuntu)</center>\r\n"
         b"</body>\r\n</html>\r\n")
ENVOY = (b"upstream connect error or disconnect/reset before headers. "
         b"reset reason: remote connection failure")
WHOLE = {
    "ok": answer("200 OK", b'{"ok":true}', RID),
    "origin_500": answer("500 Internal Server Error", b'{"error":"boom","code":"E1234"}', RID),
    "origin_502": answer("502 Bad Gateway",
                         b'{"error":"payment provider returned an error","code":"PSP_DOWN"}', RID),
    "origin_503_retry_after": answer("503 Service Unavailable", b'{"error":"maintenance","code":"MAINT"}',
                                     "Retry-After: 7", RID),
    "origin_504": answer("504 Gateway Timeout", b'{"error":"ledger timed out","code":"LEDGER"}', RID),
    "origin_429_retry_after": answer("429 Too Many Requests", b'{"error":"slow down","code":"RATE"}',
                                     "Retry-After: 7", "X-RateLimit-Remaining: 0", RID),
    "nested_nginx_502": answer("502 Bad Gateway", NGINX, "Server: nginx/1.18.0 (Ubuntu)", ctype="text/html"),
    "nested_envoy_503": (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: %d\r\ncontent-type: text/plain\r\n"
                         b"date: Tue, 24 Nov 2026 00:30:19 GMT\r\nserver: envoy\r\n\r\n" % len(ENVOY)) + ENVOY,
    "gateway_rate_limited": answer("200 OK", b'{"ok":true}', RID),
    "tls_untrusted_cert": answer("200 OK", b'{"ok":true}', RID),   # received only without certificate verification
}
assert len(NGINX) == 166 and len(ENVOY) == 98


class Origin:
    """A listener for one scenario. Counts connections and requests."""

    def __init__(self, scenario, tls=None):
        self.scenario, self.tls = scenario, tls
        self.lock = threading.Lock()
        self.reset()
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.fill = []
        if scenario in ("refused", "no_backend"):
            return                                 # bound but not listening, so the kernel sends RST
        if scenario == "connect_timeout":          # the backlog is full, so SYNs are dropped
            self.sock.listen(0)
            for _ in range(3):
                c = socket.socket()
                c.setblocking(False)
                c.connect_ex(("127.0.0.1", self.port))
                self.fill.append(c)
            return
        self.listening = False
        self.listen()

    def listen(self):
        self.sock.listen(64)
        self.listening = True
        threading.Thread(target=self.accept, args=(self.sock,), daemon=True).start()

    def reset(self):
        with self.lock:
            self.connections = self.requests = 0
            self.full = False
        if self.scenario in ("closed_then_refused", "stale_then_refused") and getattr(self, "listening", None) is False:
            self.sock = socket.socket()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind(("127.0.0.1", self.port))
            self.listen()

    def accept(self, sock):
        while True:
            try:
                conn, _ = sock.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            conn.settimeout(60)
            if self.scenario == "bad_tls":
                conn.recv(65536)
                conn.sendall(b"SSH-2.0-foo\r\n")
                time.sleep(0.05)
                return
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            buf, seen = b"", 0
            while True:
                buf, head, complete = self.read(conn, buf)
                if head is None:
                    return
                seen += 1
                with self.lock:
                    self.requests += 1
                    self.full = self.full or complete
                if not self.respond(conn, head, seen):
                    return
        except OSError:
            pass
        finally:
            try:
                conn.close()
            except OSError:
                pass

    @staticmethod
    def read(conn, buf):
        while b"\r\n\r\n" not in buf:
            more = conn.recv(65536)
            if not more:
                return b"", None, False
            buf += more
        head, _, rest = buf.partition(b"\r\n\r\n")
        low = head.lower()
        m = re.search(rb"\r\ncontent-length:\s*(\d+)", low)
        if m:
            need = int(m.group(1))
            while len(rest) < need:
                more = conn.recv(65536)
                if not more:
                    return b"", head, False
                rest += more
            return rest[need:], head, True
        if re.search(rb"\r\ntransfer-encoding:[^\r]*chunked", low):
            while b"0\r\n\r\n" not in rest:
                more = conn.recv(65536)
                if not more:
                    return b"", head, False
                rest += more
            return rest.partition(b"0\r\n\r\n")[2], head, True
        return rest, head, True

    def respond(self, conn, head, seen):
        """Responds to one request. Returns False to close the connection."""
        s = self.scenario
        if b"/hold" in head.split(b"\r\n")[0]:
            conn.recv(1)
            return False
        if s in WHOLE:
            conn.sendall(WHOLE[s])
            low = head.lower()
            return not (b"\r\nconnection: close" in low or
                        (b"http/1.0" in low.split(b"\r\n")[0] and b"keep-alive" not in low))
        if s == "stale_keepalive":
            if seen > 1:
                return False                        # reads the second request, then sends FIN
            conn.sendall(WHOLE["ok"])
            return True
        if s == "stale_then_refused" and seen == 1:
            conn.sendall(WHOLE["ok"])
            return True
        if s in ("closed_then_refused", "stale_then_refused"):
            self.listening = False
            self.sock.shutdown(socket.SHUT_RDWR)
            self.sock.close()
        elif s == "reset":
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif s in ("silent", "connection_limit"):
            conn.recv(1)
        elif s == "garbage":
            conn.sendall(b"SSH-2.0-foo\r\n")
            time.sleep(0.05)
        elif s == "truncated":
            conn.sendall(answer("200 OK", X100, length=1000))
            time.sleep(0.05)
        elif s == "truncated_chunked":
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n64\r\n" + X100 + b"\r\n")
            time.sleep(0.05)
        elif s == "truncated_headers":
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: applicat")
            time.sleep(0.05)
        elif s == "huge_headers":
            conn.sendall(answer("200 OK", b"{}", "X-Huge: " + "h" * 131072))
            time.sleep(0.05)
        elif s == "stalled_body":
            conn.sendall(answer("200 OK", X100, length=1000))
            conn.recv(1)
        return False


# --------------------------------------------------------------- the client
class NoHead(Exception):
    pass


def request(port, method, target, host=HOST, wait=12.0, connect_host="127.0.0.1"):
    body = b'{"amount":1}' if method == "POST" else b""
    lines = ["%s %s HTTP/1.1" % (method, target), "Host: " + host, "User-Agent: seawall-rec", "Accept: */*"]
    if body:
        lines += ["Content-Type: application/json", "Content-Length: %d" % len(body)]
    raw = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    sock = socket.create_connection((connect_host, port), 5)
    sock.settimeout(wait)
    start = time.monotonic()
    sock.sendall(raw)
    buf, end = b"", None

    def more():
        nonlocal buf, end
        try:
            got = sock.recv(65536)
        except ConnectionResetError:
            end = "rst"
            return False
        except (TimeoutError, socket.timeout):
            end = "timeout"
            return False
        if not got:
            end = "fin"
            return False
        buf += got
        return True

    try:
        while b"\r\n\r\n" not in buf:
            if not more():
                raise NoHead({"raw_base64": base64.b64encode(buf).decode(), "end": end,
                              "elapsed_ms": int((time.monotonic() - start) * 1000)})
        elapsed = int((time.monotonic() - start) * 1000)
        head, _, buf = buf.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        m = re.match(r"(HTTP/\d\.\d) (\d{3}) ?(.*)$", lines[0])
        if not m:
            raise NoHead({"raw_base64": base64.b64encode(head).decode(), "end": end, "elapsed_ms": elapsed})
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.append([name.strip().lower(), value.strip()])
        h = dict(headers)
        status = int(m.group(2))
        if "chunked" in h.get("transfer-encoding", "").lower():
            framing, out, done = "chunked", b"", False
            while not done:
                while b"\r\n" not in buf:
                    if not more():
                        break
                if end:
                    break
                size, _, rest = buf.partition(b"\r\n")
                try:
                    n = int(size.split(b";")[0] or b"0", 16)
                except ValueError:
                    end = "bad_chunk"
                    break
                if n == 0:
                    while not (rest.startswith(b"\r\n") or b"\r\n\r\n" in rest):
                        if not more():
                            break
                        rest = buf.partition(b"\r\n")[2]
                    done = not end
                    break
                while len(buf) - len(size) - 2 < n + 2:
                    if not more():
                        break
                rest = buf[len(size) + 2:]
                out += rest[:n]
                buf = rest[n + 2:]
                if end:
                    break
            closed, body = not done, out
        elif "content-length" in h:
            framing, n = "content-length", int(h["content-length"])
            while len(buf) < n and more():
                pass
            closed, body = len(buf) < n, buf[:n]
        else:
            framing = "close"
            while more():
                pass
            closed, body = end != "fin", buf
        if not closed:
            end = "complete"
        return {"status": status, "reason": m.group(3), "http_version": m.group(1), "headers": headers,
                "body": body, "framing": framing, "closed_early": closed, "end": end, "elapsed_ms": elapsed}
    finally:
        sock.close()


# -------------------------------------------------------------- the context
def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port


class Context:
    def __init__(self, name):
        self.name = name
        self.dir = tempfile.mkdtemp(prefix="gw-", dir="/tmp")
        os.chmod(self.dir, 0o777)
        self.port = free_port()           # the only port of the gateway, unless `ports` is set
        self.ports = {}                   # scenario -> gateway port
        self.forward = False              # True for a forward proxy, with absolute-form requests
        self.procs, self.logfile = [], None
        self.cert = os.path.join(self.dir, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=origin.test", "-keyout", self.cert + ".key", "-out", self.cert],
                       check=True, stderr=subprocess.DEVNULL)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.cert, self.cert + ".key")
        self.origins = {s: Origin(s, tls if s == "tls_untrusted_cert" else None)
                        for s in SCENARIOS if s != "unresolvable"}

        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.dns = self.udp.getsockname()[1]     # a name server without names
        threading.Thread(target=self.nxdomain, daemon=True).start()

    def nxdomain(self):
        while True:
            try:
                q, peer = self.udp.recvfrom(2048)
                end = q.index(b"\0", 12) + 5
                self.udp.sendto(q[:2] + b"\x81\x83" + q[4:6] + b"\0" * 6 + q[12:end], peer)
            except (OSError, ValueError):
                if self.udp.fileno() < 0:
                    return

    def backend(self, scenario):
        """Returns the scheme, host and port of the origin of a scenario."""
        if scenario == "unresolvable":
            return "http", BAD_NAME, 80
        scheme = "https" if scenario in ("bad_tls", "tls_untrusted_cert") else "http"
        return scheme, "127.0.0.1", self.origins[scenario].port

    def url(self, scenario):
        return "%s://%s:%d" % self.backend(scenario)

    def backends_json(self, skip=()):
        return json.dumps({s: self.url(s) for s in SCENARIOS if s not in skip})

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def mkdir(self, name):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o777)
        return path

    def run(self, argv, **kw):
        """Starts a process in its own group. Its output is its log unless `logfile` is set."""
        out = open(self.path("stdout.log"), "ab")
        if self.logfile is None:
            self.logfile = self.path("stdout.log")
        env = dict(os.environ, **kw.pop("env", {}))
        p = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                             cwd=kw.pop("cwd", self.dir), env=env, start_new_session=True, **kw)
        self.procs.append(p)
        return p

    def warm(self, scenario):
        """Sends one request before the measured one and drops the response."""
        port, path, host = target(self, scenario, "warm")
        try:
            request(port, "GET", path, host)
        except (OSError, NoHead):
            pass

    def log_size(self):
        try:
            return os.path.getsize(self.logfile)
        except (OSError, TypeError):
            return 0

    def log_since(self, pos):
        try:
            with open(self.logfile, "rb") as f:
                f.seek(pos)
                return f.read().decode("utf-8", "replace")
        except (OSError, TypeError):
            return ""

    def close(self):
        for p in self.procs:
            for sig in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(p.pid, sig)
                except ProcessLookupError:
                    break
                try:
                    p.wait(3)
                except subprocess.TimeoutExpired:
                    continue
                time.sleep(0.2)
        self.udp.close()
        for o in self.origins.values():
            o.sock.close()
            for c in o.fill:
                c.close()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)


# ------------------------------------------------------- cleaning and `known`
def sanitize(text, c):
    text = text.replace(c.dir, "/srv/gw").replace(HERE, "/srv/rec")
    text = re.sub(r"\x1b\[\d+m", "", text)
    for name in {socket.gethostname(), socket.getfqdn()}:
        if name and name != "localhost":
            text = re.sub(r"(?<![\w.-])%s(?![\w-])" % re.escape(name), "gw.example.com", text)
    ours = "|".join(map(re.escape, (os.path.expanduser("~"), HERE)))
    text = re.sub(rf"(?:{ours})/[\w./@+-]*", "/srv/rec/lib", text)
    return text


DATES = [r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun),? \d\d[ -]\w{3}[ -]\d{2,4} \d\d:\d\d:\d\d( GMT)?",
         r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}",
         r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?"]


def mask(text):
    """Masks dates, IDs, paths, hosts and ports, which do not help a client to classify."""
    for d in DATES:
        text = re.sub(d, "DATE", text)
    text = re.sub(r"/?\b(%s)/item-(get|post)\b" % "|".join(SCENARIOS), "PATH", text)
    text = re.sub(r"\b(GET|POST)(?= \S*PATH)", "METHOD", text)
    text = re.sub(r"%s|%s|gw\.example\.com|127\.0\.0\.1|\blocalhost\b" % (re.escape(BAD_NAME), re.escape(HOST)),
                  "NAME", text)
    text = re.sub(r"NAME:\d+", "NAME", text)
    text = re.sub(r"\b[Pp]ort:? \d{4,5}\b", "PORT", text)
    text = re.sub(r"(NAME(?:'|&#x27;)), \d+\)", r"\1)", text)      # a Python address tuple
    text = re.sub(r"\b[0-9A-F]{12,16}:error:", "ID:error:", text)  # OpenSSL's thread id
    text = re.sub(r"XID: \d+", "XID", text)
    text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID", text)
    return text


def key(rec):
    headers = []
    for name, value in rec["headers"]:
        if name in ("connection", "keep-alive"):
            continue                                 # hop-by-hop headers differ by method
        if name in ("date", "age", "x-varnish", "etag", "expires", "last-modified"):
            value = "*"
        if name == "content-length" and not rec["closed_early"]:
            value = "*"                              # the body itself is in the key
        headers.append((name, mask(value)))
    body = mask(base64.b64decode(rec["body_base64"]).decode("latin-1"))
    if rec["end"] == "rst":
        body = "*"                                   # the received part is random
    return json.dumps([rec["status"], rec["reason"], rec["http_version"], headers, body,
                       rec["framing"], rec["closed_early"]])


def add_known(recs):
    groups = {}
    for r in recs:
        groups.setdefault(key(r), []).append(r)
    for group in groups.values():
        causes = sorted({x for r in group for x in [r["truth"]["cause"], *r["truth"]["also"]]})
        for r in group:
            r["known"] = {
                "causes": causes,
                "same_response_for": sorted({g["scenario"] for g in group}),
                "may_say_not_processed": all(g["truth"]["processed"] == "no" for g in group),
                "reporters": sorted({g["truth"]["reporter"] for g in group}),
            }


# ------------------------------------------------------------------- running
def target(c, scenario, leaf):
    port = c.ports.get(scenario, c.port)
    path = "/%s/%s" % (scenario, leaf)
    if c.forward:
        _, host, oport = c.backend(scenario)
        at = host if oport == 80 else "%s:%d" % (host, oport)
        return port, "http://" + at + path, at
    return port, path, HOST


def wait_up(c, seconds=20):
    end = time.monotonic() + seconds
    for port in sorted(set(c.ports.values()) or {c.port}):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if any(p.poll() not in (None, 0) for p in c.procs) or time.monotonic() > end:
                    raise RuntimeError("%s did not start:\n%s" % (c.name, c.log_since(0)[-3000:]))
                time.sleep(0.1)


def capture(c, gw, scenario, method):
    port, path, host = target(c, scenario, "item-" + method.lower())
    origin = c.origins.get(scenario)
    holder = None
    if scenario == "connection_limit":
        def hold():
            try:
                request(port, "GET", target(c, scenario, "hold")[1], host, wait=3)
            except (OSError, NoHead):
                pass
        holder = threading.Thread(target=hold)
        holder.start()
        time.sleep(0.4)
    if scenario in ("gateway_rate_limited", "stale_keepalive", "stale_then_refused"):
        if origin:
            origin.reset()
        for _ in range(getattr(gw, "WARM", 2) if scenario == "gateway_rate_limited" else 1):
            try:
                request(port, "GET", target(c, scenario, "item-get?warm=%s" % method)[1], host)
            except (OSError, NoHead):
                pass
        time.sleep(0.1)
    if hasattr(gw, "before"):
        gw.before(c, scenario, method)
    if origin:
        origin.reset()
    pos = c.log_size()
    try:
        res = request(port, method, path, host, wait=getattr(gw, "WAIT", 12.0))
    except NoHead as e:
        res = {"no_head": e.args[0]}
    except OSError as e:
        res = {"no_head": {"raw_base64": "", "end": "connect: %s" % e, "elapsed_ms": 0}}
    time.sleep(getattr(gw, "SETTLE", 0.15))
    seen = (origin.connections, origin.requests, origin.full) if origin else (0, 0, False)
    if holder:
        holder.join()
    rec = {"gateway": gw.NAME, "version": gw.version, "scenario": scenario, "method": method}
    log = sanitize(c.log_since(pos), c).strip()
    # The log may be written late. Excludes lines about other requests.
    about = re.compile(r"/(%s)/(?:item-(get|post)|warm|hold)" % "|".join(SCENARIOS))
    log = "\n".join(x for x in log.split("\n")
                    if all(m[0] == scenario and m[1] in ("", method.lower()) for m in about.findall(x)))
    tail = {"origin_connections": seen[0], "origin_requests": seen[1], "origin_read_full_request": seen[2],
            "truth": getattr(gw, "TRUTH", {}).get(scenario, TRUTH[scenario]), "gateway_log": log[-1500:]}
    if "no_head" in res:
        return {**rec, **res["no_head"], **tail}, False
    for h in res["headers"]:
        h[1] = sanitize(h[1], c)
        if len(h[1]) > 1000:
            h[1] = h[1][:64] + "...[%d bytes]" % len(h[1])
    body = sanitize(res.pop("body").decode("latin-1"), c)
    body = re.sub(r"(?is)<style.*?</style>\s*", "", body).encode("latin-1")
    order = ("framing", "closed_early", "end", "elapsed_ms")
    rec.update({k: res[k] for k in ("status", "reason", "http_version", "headers")})
    rec["body_base64"] = base64.b64encode(body).decode()
    rec.update({k: res[k] for k in order})
    rec.update(tail)
    return rec, True


def record(name):
    spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, "gateways", name + ".py"))
    gw = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gw)
    gw.NAME = getattr(gw, "NAME", name)
    c = Context(name)
    recs, rest = [], []
    try:
        gw.version = gw.get_version()
        gw.start(c)
        wait_up(c)
        time.sleep(getattr(gw, "READY", 0.5))
        skip = set(getattr(gw, "SKIP", ()))
        only = os.environ.get("ONLY") or os.environ.get("ADD")
        only = only.split(",") if only else SCENARIOS
        for scenario in only:
            if scenario in skip:
                continue
            for method in ("GET", "POST"):
                rec, whole = capture(c, gw, scenario, method)
                # A resent request that succeeded and a limit that did not apply are not failures.
                extra = scenario in ("stale_keepalive", "stale_then_refused", "connection_limit", "gateway_rate_limited", "no_backend",
                                     "tls_untrusted_cert") and rec.get("status") == 200
                extra = extra or (scenario == "connection_limit" and rec["origin_requests"] > 0)
                (recs if whole and not extra else rest).append(rec)
                gw_alive = all(p.poll() in (None, 0) for p in c.procs)
                print("%-14s %-22s %-4s %s %s x%d %5dms %s %s" % (
                    name, scenario, method, rec.get("status", "NOHEAD"), rec.get("end"), rec["origin_requests"],
                    rec["elapsed_ms"], rec.get("reason", base64.b64decode(rec.get("raw_base64", ""))[:60]),
                    "" if gw_alive else "DIED"), flush=True)
                if not gw_alive and hasattr(gw, "restart"):
                    gw.restart(c)
                    wait_up(c)
    finally:
        c.close()
    if os.environ.get("ADD"):
        old = os.path.join(HERE, "out", name + ".jsonl")
        with open(old) as f:
            before = [json.loads(line) for line in f]
        before = [r for r in before if r["scenario"] not in only]
        recs = before[:-2] + recs + before[-2:]     # `ok` stays last
        add_known(recs)
        save(name, recs, [])
        return
    add_known(recs)
    if os.environ.get("ONLY"):
        for r in recs:
            print(json.dumps({**r, "body": base64.b64decode(r["body_base64"]).decode("latin-1")}, indent=0)[:3000])
        return
    save(name, recs, rest)
    print("%s: %d captures, %d without a head or without a failure" % (name, len(recs), len(rest)), flush=True)


def save(name, recs, rest):
    os.makedirs(os.path.join(HERE, "out"), exist_ok=True)
    for suffix, rows in ((".jsonl", recs), (".nohead.jsonl", rest)):
        path = os.path.join(HERE, "out", name + suffix)
        if not rows:
            if os.path.exists(path) and not os.environ.get("ADD"):
                os.remove(path)
            continue
        with open(path, "w") as f:
            for r in rows:
                # `known` is last, as in the other captures.
                if "known" in r:
                    r["known"] = r.pop("known")
                f.write(json.dumps(r) + "\n")


def known_again():
    out = os.path.join(HERE, "out")
    for f in sorted(os.listdir(out)):
        if f.endswith(".jsonl") and not f.endswith(".nohead.jsonl"):
            with open(os.path.join(out, f)) as h:
                recs = [json.loads(line) for line in h]
            add_known(recs)
            with open(os.path.join(out, f), "w") as h:
                h.writelines(json.dumps(r) + "\n" for r in recs)


if __name__ == "__main__":
    if sys.argv[1:] == ["--known"]:
        known_again()
        sys.exit()
    names = sys.argv[1:] or sorted(f[:-3] for f in os.listdir(os.path.join(HERE, "gateways")) if f.endswith(".py"))
    failed = []
    for n in names:
        try:
            record(n)
        except Exception as e:  # a gateway that does not start must not stop the others
            failed.append(n)
            print("FAILED %s: %s" % (n, e), flush=True)
    sys.exit(1 if failed else 0)
