import subprocess, re, time
SKIP = ("gateway_rate_limited", "connection_limit")

def get_version():
    return re.search(r"nghttp2/([\d.]+)", subprocess.run(["nghttpx", "--version"], capture_output=True, text=True).stdout)[1]

def start(c):
    argv = ["nghttpx", "--conf=/dev/null", "--workers=1", "--frontend=127.0.0.1,%d;no-tls" % c.port, "--backend-read-timeout=2", "--backend-write-timeout=2",
            "--backend-connect-timeout=1", "--errorlog-file=" + c.path("error.log"), "--accesslog-file=/dev/null"]
    for s in list(c.origins) + ["unresolvable"]:
        if s in SKIP or s == "no_backend":
            continue
        scheme, host, port = c.backend(s)
        argv.append("--backend=%s,%d;/%s/%s%s" % (host, port, s, ";tls" if scheme == "https" else "", ";dns" if s == "unresolvable" else ""))
    argv.append("--backend=127.0.0.1,%d;/" % c.backend("no_backend")[2])
    c.logfile = c.path("error.log")
    c.run(argv)

def before(c, scenario, method):
    # After a failed connect, nghttpx responds 502 without an attempt for about two seconds. Waits until it retries.
    if method == "POST" and scenario in ("refused", "connect_timeout", "bad_tls", "tls_untrusted_cert", "unresolvable"):
        time.sleep(4)
