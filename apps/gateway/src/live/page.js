// Shows each snapshot. Whatever comes from outside becomes text, never markup.

import { draw } from "./chart.js";
import { STATES, cause, circuit, end, many, number, percent, said, time, verdict } from "./words.js";

const at = (id) => document.getElementById(id);
const rows = new Map();

// Only what changed is written: so the page stays calm, and a screen reader silent.
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function row(kind) {
  return at(kind).content.firstElementChild.cloneNode(true);
}

const sum = (counts) => counts.reduce((a, b) => a + b, 0);
const total_of = (all) => all.reduce((a, b) => a.map((n, i) => n + b[i]), [0, 0, 0, 0]);

function upstreams(all, demo) {
  const names = new Set(all.map((upstream) => upstream.name));
  for (const [name, node] of rows) {
    if (!names.has(name)) {
      node.remove();
      rows.delete(name);
    }
  }
  for (const upstream of all) {
    let node = rows.get(upstream.name);
    if (!node) {
      node = row("upstream");
      node.dataset.upstream = upstream.name;
      node.querySelector(".act").addEventListener("click", () => act(node));
      rows.set(upstream.name, node);
      at("upstreams").append(node);
    }
    show(node, upstream, demo);
  }
}

const LEVERS = { open: "M8 11L21 2", forced_open: "M8 11L21 2", half_open: "M8 11L23 7" };

function show(node, { name, does, broken, circuit: now, slots, minute }, demo) {
  const part = (selector) => node.querySelector(selector);
  node.dataset.state = now.state;
  put(part(".word"), STATES[now.state]?.[0] ?? cause(now.state));
  part(".lever").setAttribute("d", LEVERS[now.state] ?? "M8 11H24");
  put(part(".name"), name);
  put(part(".does"), does ?? "");
  const total = sum(minute);
  const well = minute[0] + minute[1];
  put(part(".requests b"), number(total));
  put(part(".success b"), percent(well, total));
  node.classList.toggle("failing", total > 0 && well < total);
  const [ok, mended, failed, refused] = total_of(slots);
  draw(
    part(".chart"),
    slots,
    `Last 5 minutes: ${ok} succeeded, ${mended} after a retry, ${failed} failed, ${refused} refused`,
  );
  put(part(".why"), circuit(now));
  const button = part(".act");
  button.hidden = broken === null;
  button.disabled = demo?.measuring ?? true;
  if (broken !== null) {
    node.dataset.act = broken ? "heal" : "break";
    put(button, broken ? "Heal" : "Break");
    button.setAttribute("aria-label", `${button.textContent} ${name}`);
  }
}

function failures(all) {
  const box = at("failures");
  while (box.children.length > all.length) box.lastElementChild.remove();
  while (box.children.length < all.length) box.append(row("failure"));
  all.forEach((failure, i) => {
    const node = box.children[i];
    const part = (selector) => node.querySelector(selector);
    node.classList.toggle("mended", failure.mended);
    put(part("time"), time(failure.first_ago_ms));
    put(part(".count"), many(failure));
    put(part(".of"), failure.upstream);
    put(part(".cause"), cause(failure.cause));
    put(part(".who"), said(failure));
    put(part(".end"), end(failure));
    put(part(".advice"), failure.advice);
    put(part(".note"), failure.note ? `Recognised: ${failure.note}.` : "");
  });
  at("no-failures").hidden = all.length > 0;
}

function summary({ upstreams: all, demo }) {
  const { open, text, also } = verdict(all);
  put(at("verdict"), text);
  put(at("also"), also);
  document.title = `${open > 0 ? `${open} cut off · ` : ""}seawall gateway`;
  const total = total_of(all.map((upstream) => upstream.minute));
  const calls = sum(total);
  const [, mended, , refused] = total.map(number);
  const well = percent(total[0] + total[1], calls);
  const counts = `Last minute: ${number(calls)} requests, ${well} succeeded, ${mended} of them after a retry; ${refused} refused by open circuits.`;
  const idle = calls > 0 ? counts : "No requests in the last minute.";
  put(at("minute"), demo?.measuring ? "The upstreams are being measured; the buttons work in a moment." : idle);
}

function controls(demo) {
  at("demo").hidden = !demo;
  if (!demo) return;
  at("traffic").disabled = demo.measuring;
  at("traffic").setAttribute("aria-checked", String(demo.traffic));
}

async function post(path) {
  try {
    const response = await fetch(path, { method: "POST" });
    put(at("said"), response.ok ? "" : await response.text());
  } catch {
    put(at("said"), "The gateway could not be reached.");
  }
}

const act = (node) => post(`/@/${node.dataset.act}/${encodeURIComponent(node.dataset.upstream)}`);
at("traffic").addEventListener("click", () => {
  const on = at("traffic").getAttribute("aria-checked") !== "true";
  at("traffic").setAttribute("aria-checked", String(on));
  post(`/@/traffic/${on ? "on" : "off"}`);
});

function link(state, text) {
  at("link").dataset.state = state;
  put(at("link"), text);
}

function listen() {
  const events = new EventSource("/@/events");
  events.onmessage = ({ data }) => {
    const now = JSON.parse(data);
    link("live", "live");
    summary(now);
    controls(now.demo);
    upstreams(now.upstreams, now.demo);
    failures(now.failures);
  };
  events.onerror = () => {
    if (at("link").dataset.state === "live") put(at("minute"), `Not connected: this is how it was at ${time(0)}.`);
    link("lost", "not connected, trying again");
    // A browser tries again by itself unless it was answered otherwise than with a stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

listen();
