#!/usr/bin/env python3
"""Prints the statuses and the groups of equal responses in out/ as Markdown."""
import base64, glob, json, os
HERE = os.path.dirname(os.path.abspath(__file__))
def load(name, kind=""):
    try:
        with open(f"{HERE}/out/{name}{kind}.jsonl") as f: return [json.loads(l) for l in f]
    except OSError: return []
names = sorted(os.path.basename(p)[:-6] for p in glob.glob(HERE + "/out/*.jsonl") if "nohead" not in p)
order = ["varnish","lighttpd","trafficserver","h2o","haproxy_errorfile","nginx_tokens_off","fastify_http_proxy","http_proxy_middleware","http_proxy_middleware_4","haproxy_retry_on","mitmproxy","mitmproxy_lazy"]
names = [n for n in order if n in names] + [n for n in names if n not in order]
data = {n: load(n) for n in names}; none = {n: load(n, ".nohead") for n in names}
scen = []
for n in names:
    for r in data[n] + none[n]:
        if r["scenario"] not in scen: scen.append(r["scenario"])
def cell(n, s):
    out = []
    for m in ("GET", "POST"):
        hit = [r for r in data[n] + none[n] if r["scenario"] == s and r["method"] == m]
        if not hit: continue
        r = hit[0]
        t = str(r["status"]) if "status" in r else ("cut" if r["end"] == "fin" else r["end"]) if not r.get("raw_base64") else "0.9"
        if r.get("closed_early"): t += {"fin": "!", "timeout": "~", "rst": "!r"}.get(r["end"], "?")
        elif r["status"] == 200 and s in ("truncated", "truncated_chunked") if "status" in r else False: t += " whole"
        if r["origin_requests"] > 1: t += " x%d" % r["origin_requests"]
        out.append(t)
    return out[0] if len(set(out)) == 1 else "/".join(out) if out else ""
half = (len(names) + 1) // 2
for part in (names[:half], names[half:]):
    print("| scenario | " + " | ".join(part) + " |"); print("|---" * (len(part) + 1) + "|")
    for s in scen:
        if s.startswith("origin_") and s != "origin_503_retry_after": continue
        print("| %s | %s |" % (s, " | ".join(cell(n, s) for n in part)))
    print()
print("## Groups\n")
for n in names:
    print("### " + n); seen = set()
    for r in data[n]:
        k = json.dumps(r["known"]["same_response_for"]), r["status"]
        if k in seen or r["known"]["reporters"] == ["origin"] or r["scenario"].startswith("nested"): continue
        seen.add(k)
        print("- %d: %s%s" % (r["status"], ", ".join(r["known"]["same_response_for"]), " — **Unlikely may be said**" if r["known"]["may_say_not_processed"] else ""))
