import subprocess, re, time
# lighttpd has no TLS to upstreams and no rate limit by default, and does not start with an unresolvable name
SKIP = ("unresolvable", "bad_tls", "tls_untrusted_cert", "gateway_rate_limited", "connection_limit")

def get_version():
    return re.search(r"lighttpd/([\d.]+)", subprocess.run(["lighttpd", "-v"], capture_output=True, text=True).stdout)[1]

def start(c):
    c.logfile = c.path("error.log")
    rows = ",\n".join('"/%s/" => (( "host" => "127.0.0.1", "port" => %d, "connect-timeout" => 1, "read-timeout" => 2, "write-timeout" => 2 ))'
                      % (s, c.backend(s)[2]) for s in c.origins if s not in SKIP)
    c.mkdir("www")
    c.write("l.conf", '''server.modules = ("mod_proxy")
server.document-root = "%s"
server.port = %d
server.bind = "127.0.0.1"
server.errorlog = "%s"
proxy.server = (%s)
''' % (c.path("www"), c.port, c.logfile, rows))
    c.run(["lighttpd", "-D", "-f", c.path("l.conf")])

def before(c, scenario, method):
    # lighttpd excludes a failed host for one second (disable-time). Waits for it, except in `no_backend`.
    if scenario == "no_backend":
        c.warm(scenario)
    elif method == "POST" and scenario in ("refused", "connect_timeout", "silent"):
        time.sleep(2.5)
