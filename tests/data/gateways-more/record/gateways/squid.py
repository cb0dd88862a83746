import subprocess, re
# recorded earlier, and used here only with ADD=stale_then_refused
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend", "unresolvable", "bad_tls", "tls_untrusted_cert")

def get_version():
    return re.search(r"Version ([\d.]+)", subprocess.run(["squid", "-v"], capture_output=True, text=True).stdout)[1]

def start(c):
    c.logfile = c.path("cache.log")
    rows = "".join("cache_peer 127.0.0.1 parent %d 0 no-query no-digest originserver name=p_%s connect-timeout=1\nacl a_%s urlpath_regex ^/%s/\ncache_peer_access p_%s allow a_%s\ncache_peer_access p_%s deny all\n"
                   % (c.backend(s)[2], s, s, s, s, s, s) for s in c.origins if s not in SKIP)
    c.write("s.conf", '''http_port 127.0.0.1:%d accel defaultsite=api.example.com no-vhost
visible_hostname gw.example.com
pid_filename none
cache deny all
cache_log %s
access_log stdio:%s
coredump_dir %s
cache_effective_user proxy
netdb_filename none
pinger_enable off
read_timeout 2 seconds
%s
never_direct allow all
http_access allow all
''' % (c.port, c.path("cache.log"), c.logfile, c.dir, rows))
    c.run(["squid", "-n", "seawallrec%d" % c.port, "-N", "-f", c.path("s.conf")])
READY = 2
