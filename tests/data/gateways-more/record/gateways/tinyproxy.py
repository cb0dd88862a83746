import subprocess, re
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend", "bad_tls", "tls_untrusted_cert")
WAIT = 30

def get_version():
    return re.search(r"tinyproxy ([\d.]+)", subprocess.run(["tinyproxy", "-v"], capture_output=True, text=True).stdout)[1]

def start(c):
    c.logfile = c.path("t.log")
    c.write("t.conf", '''Port %d
Listen 127.0.0.1
Timeout 2
DefaultErrorFile "/usr/share/tinyproxy/default.html"
StatFile "/usr/share/tinyproxy/stats.html"
LogFile "%s"
LogLevel Info
MaxClients 100
Allow 127.0.0.1
ViaProxyName "tinyproxy"
ReverseOnly Yes
ReverseMagic No
''' % (c.port, c.logfile) + "".join('ReversePath "/%s/" "%s/%s/"\n' % (s, c.url(s), s) for s in list(c.origins) + ["unresolvable"] if s not in SKIP))
    c.run(["tinyproxy", "-d", "-c", c.path("t.conf")])
