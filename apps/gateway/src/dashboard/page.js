// Renders each snapshot. Text from the network is inserted as text, never as markup.

import { drawChart } from "./chart.js";
import {
  STATES, causeText, circuitText, formatNumber, latencyText, outcomeText, percentText, repeatText, sourceText, summaryText, timeText,
} from "./messages.js";

const byId = (id) => document.getElementById(id);
const upstreamRows = new Map();

// Writes text only if it changed, because a screen reader announces every write to a live region.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function cloneTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

const sum = (counts) => counts.reduce((a, b) => a + b, 0);
const sumCounts = (all) => all.reduce((a, b) => a.map((n, i) => n + b[i]), [0, 0, 0, 0]);

function renderUpstreams(upstreams, demo) {
  const names = new Set(upstreams.map((upstream) => upstream.name));
  for (const [name, row] of upstreamRows) {
    if (!names.has(name)) {
      row.remove();
      upstreamRows.delete(name);
    }
  }
  for (const upstream of upstreams) {
    let row = upstreamRows.get(upstream.name);
    if (!row) {
      row = cloneTemplate("upstream");
      row.dataset.upstream = upstream.name;
      row.querySelector(".action").addEventListener("click", () => postAction(row));
      addFaults(row.querySelector(".fault"), upstream, demo);
      upstreamRows.set(upstream.name, row);
      byId("upstreams").append(row);
    }
    renderUpstream(row, upstream, demo);
  }
}

// Lists the upstream's own fault, whose value is empty, and the common ones.
function addFaults(select, { name, fault }, demo) {
  const faults = [{ id: "", description: fault ?? "" }, ...(demo?.faults ?? [])];
  for (const { id, description } of faults) select.append(new Option(description, id));
  select.setAttribute("aria-label", `Fault of ${name}`);
}

const LEVER_PATHS = { open: "M8 11L21 2", forced_open: "M8 11L21 2", half_open: "M8 11L23 7" };

function renderUpstream(row, { name, behavior, fault_injected, circuit, slots, minute, latency }, demo) {
  const find = (selector) => row.querySelector(selector);
  row.dataset.state = circuit.state;
  setText(find(".state-name"), STATES[circuit.state]?.[0] ?? causeText(circuit.state));
  find(".lever").setAttribute("d", LEVER_PATHS[circuit.state] ?? "M8 11H24");
  setText(find(".name"), name);
  setText(find(".behavior"), behavior ?? "");
  const total = sum(minute);
  const successes = minute[0] + minute[1];
  setText(find(".requests b"), formatNumber(total));
  setText(find(".success b"), percentText(successes, total));
  setText(find(".latency b"), latencyText(latency));
  row.classList.toggle("failing", total > 0 && successes < total);
  const [succeeded, recovered, failed, rejected] = sumCounts(slots);
  drawChart(
    find(".chart"),
    slots,
    `Last 5 minutes: ${succeeded} succeeded, ${recovered} after a retry, ${failed} failed, ${rejected} rejected`,
  );
  setText(find(".circuit"), circuitText(circuit));
  const button = find(".action");
  find(".controls").hidden = fault_injected === null;
  button.disabled = demo?.load_test_running ?? true;
  if (fault_injected !== null) {
    find(".fault").hidden = fault_injected;
    find(".fault").disabled = button.disabled;
    row.dataset.action = fault_injected ? "heal" : "break";
    setText(button, fault_injected ? "Heal" : "Break");
    button.setAttribute("aria-label", `${button.textContent} ${name}`);
  }
}

function renderFailures(failures) {
  const list = byId("failures");
  while (list.children.length > failures.length) list.lastElementChild.remove();
  while (list.children.length < failures.length) list.append(cloneTemplate("failure"));
  failures.forEach((failure, i) => {
    const row = list.children[i];
    const find = (selector) => row.querySelector(selector);
    row.classList.toggle("recovered", failure.recovered);
    setText(find("time"), timeText(failure.ago_ms));
    setText(find(".count"), repeatText(failure));
    setText(find(".upstream-name"), failure.upstream);
    setText(find(".cause"), causeText(failure.cause));
    setText(find(".source"), sourceText(failure));
    setText(find(".outcome"), outcomeText(failure));
    setText(find(".advice"), failure.advice);
    setText(find(".evidence"), failure.evidence ? `Evidence: ${failure.evidence}.` : "");
  });
  byId("no-failures").hidden = failures.length > 0;
}

function renderSummary({ upstreams, demo }) {
  const { openCount, text, detail } = summaryText(upstreams);
  setText(byId("summary"), text);
  setText(byId("summary-detail"), detail);
  document.title = `${openCount > 0 ? `${openCount} open · ` : ""}seawall gateway`;
  const counts = sumCounts(upstreams.map((upstream) => upstream.minute));
  const total = sum(counts);
  const [, recovered, , rejected] = counts.map(formatNumber);
  const successes = percentText(counts[0] + counts[1], total);
  const lastMinute = total > 0
    ? `Last minute: ${formatNumber(total)} requests, ${successes} succeeded, ${recovered} of them after a retry; ${rejected} rejected by open circuits.`
    : "No requests in the last minute.";
  const loadTestRunning = "The load test is running. The buttons are enabled when it ends.";
  setText(byId("last-minute"), demo?.load_test_running ? loadTestRunning : lastMinute);
}

function renderDemo(demo) {
  byId("demo").hidden = !demo;
  if (!demo) return;
  byId("traffic").disabled = demo.load_test_running;
  byId("traffic").setAttribute("aria-checked", String(demo.background_load));
}

async function post(path) {
  try {
    const response = await fetch(path, { method: "POST" });
    const problem = response.ok ? { detail: "" } : await response.json().catch(() => ({ detail: `Status ${response.status}.` }));
    setText(byId("error"), problem.detail);
  } catch {
    setText(byId("error"), "The gateway is not reachable.");
  }
}

function postAction(row) {
  const { action, upstream } = row.dataset;
  const fault = action === "break" ? row.querySelector(".fault").value : "";
  post(`/@/${action}/${encodeURIComponent(upstream)}${fault ? `/${fault}` : ""}`);
}

byId("traffic").addEventListener("click", () => {
  const enabled = byId("traffic").getAttribute("aria-checked") !== "true";
  byId("traffic").setAttribute("aria-checked", String(enabled));
  post(`/@/background-load/${enabled ? "on" : "off"}`);
});

function renderConnection(state, text) {
  byId("connection").dataset.state = state;
  setText(byId("connection"), text);
}

// Shows why the stream was refused, which EventSource does not reveal.
async function showReason() {
  const response = await fetch("/@/events", { method: "HEAD" }).catch(() => null);
  if (response?.status === 503) {
    setText(byId("last-minute"), "Too many pages are open, in total or at this address. This page connects when another is closed.");
  }
}

function connect() {
  const events = new EventSource("/@/events");
  events.onmessage = ({ data }) => {
    const snapshot = JSON.parse(data);
    renderConnection("live", "live");
    renderSummary(snapshot);
    renderDemo(snapshot.demo);
    renderUpstreams(snapshot.upstreams, snapshot.demo);
    renderFailures(snapshot.failures);
  };
  events.onerror = () => {
    if (byId("connection").dataset.state === "live") {
      setText(byId("last-minute"), `Not connected. The data is from ${timeText(0)}.`);
    }
    renderConnection("lost", "not connected, reconnecting");
    // EventSource reconnects by itself, except after a response that is not an event stream.
    if (events.readyState === EventSource.CLOSED) {
      showReason();
      setTimeout(connect, 3000);
    }
  };
}

connect();
