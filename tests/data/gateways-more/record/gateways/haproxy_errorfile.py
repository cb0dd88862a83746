import subprocess, re
NAME = "haproxy-errorfile"

def get_version():
    return re.search(r"version ([\d.]+)", subprocess.run(["haproxy", "-v"], capture_output=True, text=True).stdout)[1]

def start(c):
    rules, backs = [], []
    for s in list(c.origins) + ["unresolvable"]:
        scheme, host, port = c.backend(s)
        rules.append("  use_backend be_%s if { path_beg /%s/ }" % (s, s))
        server = "server s1 %s:%d" % (host, port)
        more = ""
        if s == "unresolvable":
            server += " init-addr none resolvers r"
        if scheme == "https":
            server += " ssl verify none" if s == "bad_tls" else " ssl verify required ca-file /etc/ssl/certs/ca-certificates.crt"
        if s == "no_backend":
            server += " disabled"
        if s == "connection_limit":
            server += " maxconn 1"
            more = "  timeout queue 1s\n"
        if s == "gateway_rate_limited":
            more = ("  stick-table type string len 8 size 10 expire 60s store http_req_rate(60s)\n"
                    "  http-request track-sc0 str(all)\n  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1 }\n")
        backs.append("backend be_%s\n%s  %s\n" % (s, more, server))
    errors = "".join("  errorfile %d /etc/haproxy/errors/%d.http\n" % (n, n) for n in (400, 403, 408, 500, 502, 503, 504))
    c.write("h.cfg", '''global
  log stdout format raw local0
defaults
  log global
  mode http
  option httplog
  option dontlognull
  timeout connect 1s
  timeout client 30s
  timeout server 1500ms
%s
resolvers r
  nameserver d 127.0.0.1:%d
  resolve_retries 1
  timeout resolve 500ms
frontend fe
  bind 127.0.0.1:%d
%s
%s''' % (errors, c.dns, c.port, "\n".join(rules), "\n".join(backs)))
    c.run(["haproxy", "-db", "-f", c.path("h.cfg")])
READY = 1.5
