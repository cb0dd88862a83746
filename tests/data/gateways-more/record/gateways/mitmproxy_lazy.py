import importlib.util, os
_s = importlib.util.spec_from_file_location("m", os.path.join(os.path.dirname(os.path.abspath(__file__)), "mitmproxy.py"))
_m = importlib.util.module_from_spec(_s); _s.loader.exec_module(_m)
NAME, SKIP, READY, get_version = "mitmproxy-lazy", _m.SKIP + ("silent", "stalled_body", "connect_timeout"), _m.READY, _m.get_version

def start(c):
    run = c.run
    c.run = lambda argv, **kw: run(argv + ["--set", "connection_strategy=lazy"], **kw)
    _m.start(c)
