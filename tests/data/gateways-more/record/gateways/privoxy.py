import subprocess, re, shutil
SKIP = ("gateway_rate_limited", "connection_limit", "no_backend", "bad_tls", "tls_untrusted_cert", "connect_timeout")

def get_version():
    return re.search(r"version ([\d.]+)", subprocess.run(["privoxy", "--version"], capture_output=True, text=True).stdout)[1]

def start(c):
    c.forward = True
    conf = open("/etc/privoxy/config").read()
    conf = re.sub(r"(?m)^listen-address .*$", "", conf)
    conf = re.sub(r"(?m)^logdir .*$", "logdir " + c.path("."), conf)
    conf = re.sub(r"(?m)^socket-timeout .*$", "socket-timeout 2", conf)
    c.write("config", conf + "\nlisten-address 127.0.0.1:%d\ndebug 1\ndebug 4096\ndebug 8192\n" % c.port)
    c.logfile = c.path("logfile")
    c.run(["privoxy", "--no-daemon", c.path("config")])
