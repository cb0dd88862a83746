import subprocess, re, os
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend")

def get_version():
    out = subprocess.run(["traffic_server", "--version"], capture_output=True, text=True)
    return re.search(r"Traffic Server ([\d.]+)", out.stdout + out.stderr)[1]

def start(c):
    etc = c.mkdir("etc")
    subprocess.run("cp -r /etc/trafficserver/. " + etc, shell=True, check=True)
    for d in ("run", "log", "cache"):
        c.mkdir(d)
    c.write("runroot.yaml", '''prefix: %s
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/sbin
sysconfdir: %s
datadir: %s
includedir: /usr/include
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
localstatedir: %s
runtimedir: %s
logdir: %s
cachedir: %s
''' % (c.dir, etc, c.path("cache"), c.dir, c.path("run"), c.path("log"), c.path("cache")))
    c.write("etc/remap.config", "".join("map http://api.example.com/%s/ %s/%s/\n" % (s, c.url(s), s)
            for s in list(c.origins) + ["unresolvable"] if s not in SKIP))
    c.write("etc/storage.config", "%s 64M\n" % c.path("cache"))
    conf = open("/etc/trafficserver/records.config").read()
    conf = re.sub(r"(http\.server_ports STRING) .*", r"\1 %d:ipv4:ip-in=127.0.0.1" % c.port, conf)
    for k in ("transaction_no_activity_timeout_out", "connect_attempts_timeout", "post_connect_attempts_timeout"):
        conf = re.sub(r"(proxy\.config\.http\.%s INT) .*" % k, r"\1 2", conf)
    c.write("etc/records.config", conf + "\nCONFIG proxy.config.log.max_secs_per_buffer INT 1\nCONFIG proxy.config.proxy_name STRING gw.example.com\nCONFIG proxy.config.admin.user_id STRING #-1\n")
    c.logfile = c.path("log/error.log")
    for f in os.popen("find %s -type d" % c.dir).read().split():
        os.chmod(f, 0o777)
    c.run(["traffic_server", "--run-root=" + c.path("runroot.yaml")], env={"TS_RUNROOT": c.path("runroot.yaml")})
WAIT = 30
READY = 2
SETTLE = 1.3
