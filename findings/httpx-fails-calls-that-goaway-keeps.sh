#!/usr/bin/env bash
# httpx 0.28.1 and httpx2 2.16.2 (PyPI, h2 4.4.1) over HTTP/2 to nginx 1.22.1 (Debian 12).
#
# Expected: nginx ends a connection after `keepalive_requests` (1000 if not set) with a GOAWAY
#   that says "no error" and names the last call it took. It still answers the calls up to
#   there. So the client reads those answers, and opens a new connection for new calls.
# Seen: every call in flight on that connection fails, although the origin works on it and
#   nginx is ready to pass its answer on. 20 calls per connection, all in flight: 40 of 40 calls are lost.
# Output, httpx and httpx2 alike:
#   GET  40 RemoteProtocolError, origin saw 40, nginx logged 499 for 40
#   POST 40 LocalProtocolError, origin saw 40, nginx logged 200 for 39
# Consequence: a client with calls side by side loses all of them at each GOAWAY, by default
#   at each 1000th call. For GET the error names code 0 and the log blames the client; for
#   POST nginx logs a success and the client blames itself. A retry runs the POST twice.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
nginx -v 2>&1 | grep -q 'nginx/1\.22\.1' || { echo "needs nginx 1.22.1 from apt"; exit 77; }
command -v openssl >/dev/null || exit 77
{ python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" -q install \
  'httpx[http2]==0.28.1' 'httpx2[http2]==2.16.2' h2==4.4.1; } >/dev/null 2>&1 || exit 77
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/key.pem" -out "$tmp/cert.pem" -days 2 \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
cat >"$tmp/check.py" <<'PY'
import asyncio, collections, contextlib, itertools, os, socket, ssl, subprocess, sys, httpx, httpx2
tmp = sys.argv[1]
CONF = """
{user} daemon off; worker_processes 1; pid {tmp}/pid; error_log {tmp}/error.log; events {{}}
http {{
  log_format status $status; access_log {tmp}/access.log status; client_body_temp_path {tmp}/body;
  proxy_temp_path {tmp}/p; fastcgi_temp_path {tmp}/f; uwsgi_temp_path {tmp}/u; scgi_temp_path {tmp}/s;
  server {{
    listen 127.0.0.1:{port} ssl http2; ssl_certificate {tmp}/cert.pem;
    ssl_certificate_key {tmp}/key.pem; keepalive_requests 20;
    location / {{ proxy_pass http://127.0.0.1:{origin}; }}
  }}
}}"""
seen, BODY = 0, {"GET": None, "POST": b"{}"}
async def serve(reader, writer):
    global seen
    with contextlib.suppress(Exception, asyncio.CancelledError):
        await reader.readuntil(b"\r\n\r\n")
        seen += 1
        await asyncio.sleep(0.4)
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
    writer.close()
async def main():
    global seen
    origin = await asyncio.start_server(serve, "127.0.0.1", 0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = "user root;" if os.geteuid() == 0 else ""
    with open(f"{tmp}/nginx.conf", "w") as out:
        out.write(CONF.format(tmp=tmp, port=port, user=user,
                              origin=origin.sockets[0].getsockname()[1]))
    nginx = subprocess.Popen(["nginx", "-p", tmp, "-c", f"{tmp}/nginx.conf"], stderr=subprocess.DEVNULL)
    as_described = True
    try:
        await asyncio.sleep(1)
        url = f"https://localhost:{port}/"
        trust = ssl.create_default_context(cafile=f"{tmp}/cert.pem")
        for library, method in itertools.product((httpx, httpx2), ("GET", "POST")):
            seen = 0
            open(f"{tmp}/access.log", "w").close()
            async with library.AsyncClient(http2=True, verify=trust, timeout=20) as client:
                async def call(number):
                    await asyncio.sleep(number * 0.02)
                    try:
                        return (await client.request(method, url, content=BODY[method])).status_code
                    except library.TransportError as error:
                        return type(error).__name__
                calls = collections.Counter(await asyncio.gather(*map(call, range(40))))
            await asyncio.sleep(1)
            log = collections.Counter(open(f"{tmp}/access.log").read().split())
            print(library.__name__, library.__version__, method, dict(calls), "; origin:", seen, "; nginx:", dict(log))
            as_described &= calls[200] <= 20 and seen >= 36
    finally:
        nginx.terminate()
        nginx.wait()
    sys.exit(0 if as_described else 1)
asyncio.run(main())
PY
"$tmp/venv/bin/python" "$tmp/check.py" "$tmp"
