import subprocess, re
# Varnish has no TLS to upstreams and no rate limit by default, and does not start with an unresolvable name
SKIP = ("unresolvable", "bad_tls", "tls_untrusted_cert", "gateway_rate_limited")

def get_version():
    return re.search(r"varnish-([\d.]+)", subprocess.run(["varnishd", "-V"], capture_output=True, text=True).stderr)[1]

def start(c):
    backends, routes = [], []
    for s in c.origins:
        if s in SKIP:
            continue
        extra = ".max_connections = 1;" if s == "connection_limit" else ""
        if s == "no_backend":
            extra = ".probe = { .interval = 1s; .timeout = 500ms; .initial = 0; }"
        backends.append('backend b_%s { .host = "127.0.0.1"; .port = "%d"; .connect_timeout = 1s; '
                        '.first_byte_timeout = 1500ms; .between_bytes_timeout = 1500ms; %s }' % (s, c.backend(s)[2], extra))
        routes.append('if (req.url ~ "^/%s/") { set req.backend_hint = b_%s; }' % (s, s))
    c.write("default.vcl", "vcl 4.1;\n%s\nsub vcl_recv {\n%s\n}\n" % ("\n".join(backends), "\n".join(routes)))
    c.mkdir("n")
    c.run(["varnishd", "-F", "-j", "none", "-a", "127.0.0.1:%d" % c.port, "-f", c.path("default.vcl"), "-n", c.path("n"),
           "-s", "malloc,20m", "-p", "thread_pool_min=10"])
    c.logfile = c.path("ncsa.log")
    c.run(["sh", "-c", "sleep 2; exec varnishlog -n %s -A -a -w %s -i FetchError,VCL_Error,Error,BerespStatus,BerespReason,RespReason" % (c.path("n"), c.logfile)])
READY = 2.5
SETTLE = 0.4
