import subprocess, re
NAME = "apache-errordocument"
SKIP = ("gateway_rate_limited", "no_backend", "connection_limit")

def get_version():
    return re.search(r"Apache/([\d.]+)", subprocess.run(["apache2", "-v"], capture_output=True, text=True).stdout)[1]

def start(c):
    c.logfile = c.path("error.log")
    mods = "".join("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n" % (m, m) for m in
                   ("mpm_event", "authz_core", "proxy", "proxy_http", "ssl", "socache_shmcb"))
    rows = []
    for s in list(c.origins) + ["unresolvable"]:
        if s in SKIP:
            continue
        extra = "connectiontimeout=1 timeout=2"
        if s == "connection_limit":
            extra += " max=1 acquire=300"
        rows.append("ProxyPass /%s/ %s/%s/ %s" % (s, c.url(s), s, extra))
    docs = "".join("ErrorDocument %d '{\"error\":\"gateway %d\"}'\n" % (n, n) for n in (500, 502, 503, 504))
    c.write("a.conf", '''ServerRoot %s
PidFile %s
ErrorLog %s
LogLevel info
ServerName gw.example.com
%s
User root
Group root
Listen 127.0.0.1:%d
Mutex posixsem
KeepAlive On
SSLProxyEngine On
SSLProxyVerify none
<Location /tls_untrusted_cert/>
</Location>
%s
%s
''' % (c.dir, c.path("pid"), c.logfile, mods, c.port, docs, "\n".join(rows)))
    c.write("b.conf", open(c.path("a.conf")).read().replace("SSLProxyVerify none", "SSLProxyVerify require\nSSLProxyCACertificateFile /etc/ssl/certs/ca-certificates.crt").replace("User root\nGroup root", "User www-data\nGroup www-data"))
    c.run(["apache2", "-DFOREGROUND", "-f", c.path("b.conf")])
