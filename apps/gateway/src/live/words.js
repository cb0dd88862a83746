// What the numbers and tokens of a snapshot are called.

export const STATES = {
  closed: ["closed", "passes calls"],
  open: ["open", "refuses calls"],
  half_open: ["half-open", "lets a few calls try"],
  forced_open: ["open", "by hand"],
  forced_closed: ["closed", "by hand"],
};

const STOPS = {
  not_retryable: "another try could not mend it",
  method_not_allowed: "this method is not sent twice",
  server_says_no: "the server asked for no other try",
  total_spent: "no tries left",
  connect_spent: "no tries left",
  read_spent: "no tries left",
  status_spent: "no tries left",
  other_spent: "no tries left",
  budget_spent: "retry budget spent",
  deadline_too_near: "no time left",
  wait_too_long: "the wait asked for was too long",
  not_replayable: "the body could not be sent again",
  not_ready: "the client was not ready again",
  circuit_open: "the circuit opened",
  shed: "too many calls under way",
};

const PROCESSED = {
  no: "not processed",
  unlikely: "hardly processed",
  maybe: "may have been processed",
  yes: "processed",
};

export const number = new Intl.NumberFormat("en").format;
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

export const cause = (token) =>
  token.replaceAll("_", " ").replace(/\b(http|dns|tls|ip)\b/g, (name) => name.toUpperCase());
export const time = (ago) => clock.format(new Date(Date.now() - ago));

export function span(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

// A whole is one only if nothing is missing.
export function percent(part, whole) {
  if (whole === 0) return "–";
  if (part === whole) return "100 %";
  return `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
}

// What the whole comes to: who is cut off, who else failed, whether all is well.
export function verdict(all) {
  const named = (test) => all.filter(test).map((upstream) => upstream.name);
  const closed = ({ circuit: { state } }) => state === "closed" || state === "forced_closed";
  const open = named((upstream) => !closed(upstream));
  const failing = named((upstream) => closed(upstream) && upstream.minute[2] > 0);
  const asked = all.some((upstream) => upstream.minute.some((count) => count > 0));
  const parts = [];
  if (open.length > 0) parts.push(`${open.length} of ${all.length} cut off: ${list(open)}.`);
  if (failing.length > 0) parts.push(`Failed in the last minute: ${list(failing)}.`);
  if (parts.length > 0) return { open: open.length, text: parts[0], also: parts[1] ?? "" };
  const one = all.length === 1;
  const text = asked ? (one ? "The upstream answers." : `All ${all.length} upstreams answer.`) : "No circuit is open.";
  return { open: 0, text, also: "" };
}

export function list(names, most = 4) {
  const shown = names.slice(0, most);
  const more = names.length - shown.length;
  if (more > 0) shown.push(`${more} more`);
  return shown.length < 2 ? shown.join() : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

export function said({ reporter, status, processed }) {
  const who = { local: "seen here", origin: "reported by the origin", unknown: "" }[reporter];
  const parts = [who ?? `reported by ${reporter}`, status ? `status ${status}` : "", PROCESSED[processed] ?? ""];
  return parts.filter(Boolean).join(" · ");
}

export function end({ mended, attempts, stop }) {
  const tries = `${attempts} attempt${attempts === 1 ? "" : "s"}`;
  if (mended) return `Mended: succeeded after ${tries}.`;
  const why = stop ? `: ${STOPS[stop] ?? cause(stop)}` : "";
  return `Failed after ${tries}${why}.`;
}

export function circuit({ state, since_ms, next_probe_ms, refused, cause: token }) {
  const by = token ? `by ${cause(token)}` : "";
  const [, does] = STATES[state] ?? ["", ""];
  const parts = [`Circuit ${STATES[state]?.[0] ?? cause(state)} for ${span(since_ms)}`];
  if (state === "closed") {
    if (token) parts.push(`last opened ${by}`);
    return parts.join(" · ");
  }
  if (by) parts[0] = `Circuit opened ${by}`;
  if (state === "open") {
    const probe = next_probe_ms > 0 ? `next probe in ${(Math.ceil(next_probe_ms / 100) / 10).toFixed(1)} s` : "the next call probes";
    parts.push(`${span(since_ms)} ago`, probe);
  } else {
    parts.push(does);
  }
  if (refused > 0) parts.push(`${number(refused)} refused`);
  return parts.join(" · ");
}

export function many({ count, first_ago_ms, ago_ms }) {
  if (count === 1) return "";
  return `${number(count)}×${first_ago_ms - ago_ms < 1000 ? "" : ` to ${time(ago_ms)}`}`;
}
