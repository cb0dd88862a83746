import os, subprocess, re
BIN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "venv/bin/mitmdump")
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend")

def get_version():
    return re.search(r"Mitmproxy: ([\d.]+)", subprocess.run([BIN, "--version"], capture_output=True, text=True).stdout)[1]

def start(c):
    import socket
    argv = [BIN, "--set", "confdir=" + c.mkdir("conf"), "--set", "termlog_verbosity=info", "--set", "tcp_timeout=2", "--set", "flow_detail=1"]
    socks = []
    for s in list(c.origins) + ["unresolvable"]:
        if s in SKIP:
            continue
        k = socket.socket(); k.bind(("127.0.0.1", 0)); socks.append(k)
        c.ports[s] = k.getsockname()[1]
        argv += ["--mode", "reverse:%s@127.0.0.1:%d" % (c.url(s), c.ports[s])]
    for k in socks:
        k.close()
    c.run(argv)
READY = 3
