import importlib.util, os
_s = importlib.util.spec_from_file_location("h", os.path.join(os.path.dirname(os.path.abspath(__file__)), "haproxy_errorfile.py"))
_m = importlib.util.module_from_spec(_s); _s.loader.exec_module(_m)
# differs from the stock configuration: `retry-on all-retryable-errors`, no errorfile lines
NAME, READY, get_version = "haproxy-retry-on", _m.READY, _m.get_version

def start(c):
    import re
    write = c.write
    c.write = lambda n, text, *a: write(n, re.sub(r"  errorfile .*\n", "", text).replace("  mode http\n", "  mode http\n  retry-on all-retryable-errors\n"), *a)
    _m.start(c)
