import subprocess, re
NAME = "nginx-tokens-off"

def get_version():
    return re.search(r"nginx/([\d.]+)", subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr)[1]

def start(c):
    c.logfile = c.path("error.log")
    up, loc = [], []
    for s in list(c.origins) + ["unresolvable"]:
        scheme, host, port = c.backend(s)
        extra = ""
        url = "%s://%s:%d" % (scheme, host, port)
        if s == "unresolvable":
            loc.append('location /%s/ { resolver 127.0.0.1:%d valid=1s; resolver_timeout 1s; set $u "%s"; proxy_pass http://$u; }' % (s, c.dns, host))
            continue
        if s == "no_backend":
            up.append("upstream %s { server 127.0.0.1:%d down; }" % (s, port))
            url = "http://" + s
        if s == "connection_limit":
            up.append("upstream %s { zone %s 64k; server 127.0.0.1:%d max_conns=1; }" % (s, s, port))
            url = "http://" + s
        if s == "stale_keepalive":
            up.append("upstream %s { server 127.0.0.1:%d; keepalive 4; }" % (s, port))
            url = "http://" + s
            extra = 'proxy_http_version 1.1; proxy_set_header Connection "";'
        if s == "tls_untrusted_cert":
            extra = "proxy_ssl_verify on; proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;"
        if s == "gateway_rate_limited":
            extra = "limit_req zone=one;"
        loc.append("location /%s/ { proxy_pass %s; %s }" % (s, url, extra))
    c.write("nginx.conf", '''daemon off; user root; worker_processes 1; pid %s; error_log %s info;
events { worker_connections 256; }
http {
 access_log off; server_tokens off;
 limit_req_zone $server_name zone=one:1m rate=1r/m;
 client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s; uwsgi_temp_path %s; scgi_temp_path %s;
 proxy_connect_timeout 1s; proxy_read_timeout 1500ms; proxy_send_timeout 2s;
 %s
 server { listen 127.0.0.1:%d; server_name api.example.com;
 %s
 }
}''' % (c.path("pid"), c.logfile, *[c.mkdir("t%d" % i) for i in range(5)], "\n ".join(up), c.port, "\n ".join(loc)))
    c.run(["nginx", "-c", c.path("nginx.conf"), "-e", c.logfile])
