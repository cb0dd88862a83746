import subprocess, re
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend")

def get_version():
    return re.search(r"h2o version ([\d.]+)", subprocess.run(["h2o", "-v"], capture_output=True, text=True).stdout)[1]

def start(c):
    paths = "".join('      "/%s/":\n        proxy.reverse.url: "%s/%s/"\n' % (s, c.url(s), s)
                    for s in list(c.origins) + ["unresolvable"] if s not in SKIP)
    c.logfile = c.path("error.log")
    c.write("h2o.conf", '''listen:
  host: 127.0.0.1
  port: %d
user: root
error-log: %s
proxy.timeout.io: 2000
hosts:
  default:
    paths:
%s''' % (c.port, c.logfile, paths))
    c.run(["h2o", "-m", "worker", "-c", c.path("h2o.conf")])
