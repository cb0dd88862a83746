// Formats the numbers and tokens of a snapshot as text.

export const STATES = {
  closed: ["closed", "admits requests"],
  open: ["open", "rejects requests"],
  half_open: ["half-open", "admits a few probes"],
  forced_open: ["open", "forced open"],
  forced_closed: ["closed", "forced closed"],
};

const STOP_REASONS = {
  not_retryable: "not retryable",
  method_not_allowed: "requests with this method are not retried",
  server_forbids: "the server does not allow a retry",
  max_retries: "no retries left",
  max_connect_retries: "no retries left",
  max_read_retries: "no retries left",
  max_status_retries: "no retries left",
  max_other_retries: "no retries left",
  budget_exhausted: "retry budget exhausted",
  deadline_too_near: "no time left",
  wait_too_long: "the requested wait was too long",
  not_replayable: "the body could not be replayed",
  not_ready: "the client did not become ready",
  circuit_open: "the circuit opened",
  limit_reached: "too many requests in flight",
};

const PROCESSED = {
  no: "not processed",
  unlikely: "probably not processed",
  maybe: "may have been processed",
  yes: "processed",
};

export const formatNumber = new Intl.NumberFormat("en").format;
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

export const causeText = (token) =>
  token.replaceAll("_", " ").replace(/\b(http|dns|tls|ip)\b/g, (name) => name.toUpperCase());
export const timeText = (ago) => clock.format(new Date(Date.now() - ago));

export function durationText(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

// Rounds down, so that 100 % means that nothing failed.
export function percentText(part, total) {
  if (total === 0) return "–";
  if (part === total) return "100 %";
  return `${(Math.floor((part / total) * 1000) / 10).toFixed(1)} %`;
}

export function latencyText(latency) {
  if (!latency) return "–";
  const { p50_ms: p50, p95_ms: p95 } = latency;
  const format = (ms) => (ms < 10 ? ms.toFixed(1) : formatNumber(Math.round(ms)));
  return p95 < 10000 ? `${format(p50)} · ${format(p95)} ms` : `${format(p50 / 1000)} · ${format(p95 / 1000)} s`;
}

export function summaryText(upstreams) {
  const namesWhere = (test) => upstreams.filter(test).map((upstream) => upstream.name);
  const isClosed = ({ circuit: { state } }) => state === "closed" || state === "forced_closed";
  const open = namesWhere((upstream) => !isClosed(upstream));
  const failing = namesWhere((upstream) => isClosed(upstream) && upstream.minute[2] > 0);
  const hasCalls = upstreams.some((upstream) => upstream.minute.some((count) => count > 0));
  const parts = [];
  if (open.length > 0) parts.push(`${open.length} of ${upstreams.length} circuits open: ${listText(open)}.`);
  if (failing.length > 0) parts.push(`Failed in the last minute: ${listText(failing)}.`);
  if (parts.length > 0) return { openCount: open.length, text: parts[0], detail: parts[1] ?? "" };
  const healthy = upstreams.length === 1 ? "The upstream is healthy." : `All ${upstreams.length} upstreams are healthy.`;
  return { openCount: 0, text: hasCalls ? healthy : "No circuit is open.", detail: "" };
}

export function listText(names, max = 4) {
  const items = names.slice(0, max);
  const hidden = names.length - items.length;
  if (hidden > 0) items.push(`${hidden} more`);
  return items.length < 2 ? items.join() : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

export function sourceText({ reporter, status, processed }) {
  const source = { local: "observed by the gateway", origin: "reported by the origin", unknown: "" }[reporter];
  const parts = [source ?? `reported by ${reporter}`, status ? `status ${status}` : "", PROCESSED[processed] ?? ""];
  return parts.filter(Boolean).join(" · ");
}

export function outcomeText({ recovered, attempts, stop_reason: reason }) {
  const count = `${attempts} attempt${attempts === 1 ? "" : "s"}`;
  if (recovered) return `Recovered: succeeded after ${count}.`;
  return `Failed after ${count}${reason ? `: ${STOP_REASONS[reason] ?? causeText(reason)}` : ""}.`;
}

export function circuitText({ state, since_ms, next_probe_ms, rejected, cause }) {
  const openedBy = cause ? `by ${causeText(cause)}` : "";
  const [name, description] = STATES[state] ?? [causeText(state), ""];
  const parts = [`Circuit ${name} for ${durationText(since_ms)}`];
  if (state === "closed") {
    if (cause) parts.push(`last opened ${openedBy}`);
    return parts.join(" · ");
  }
  if (openedBy) parts[0] = `Circuit opened ${openedBy}`;
  if (state === "open") {
    const seconds = (Math.ceil(next_probe_ms / 100) / 10).toFixed(1);
    parts.push(`${durationText(since_ms)} ago`, next_probe_ms > 0 ? `next probe in ${seconds} s` : "the next request is a probe");
  } else {
    parts.push(description);
  }
  if (rejected > 0) parts.push(`${formatNumber(rejected)} rejected`);
  return parts.join(" · ");
}

export function repeatText({ count, first_ago_ms, ago_ms }) {
  if (count === 1) return "";
  return `${formatNumber(count)}×${first_ago_ms - ago_ms < 1000 ? "" : ` since ${timeText(first_ago_ms)}`}`;
}
