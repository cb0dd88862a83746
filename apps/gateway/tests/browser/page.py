#!/usr/bin/env python3
"""Tests the dashboard in a browser: `page.py PROGRAM FOLDER`. FOLDER receives the screenshots.

Standard library only; Chromium from the system.
"""

import pathlib
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from chromium import Chromium  # noqa: E402

UPSTREAMS = ["healthy", "flaky", "busy", "dead", "reset", "truncated", "garbage", "silent"]

ROW = "document.querySelector('[data-upstream=%s]')"

# Lists text with a contrast below 4.5 (WCAG 2.2, success criterion 1.4.3), large text included.
LOW_CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [r, g, b] = rgb(colour).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = luminance(getComputedStyle(document.body).backgroundColor);
  const low = [];
  for (const node of document.querySelectorAll("body *")) {
    const text = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!text || node.disabled || !node.checkVisibility()) continue;
    const foreground = luminance(getComputedStyle(node).color);
    const ratio = (Math.max(foreground, background) + 0.05) / (Math.min(foreground, background) + 0.05);
    if (ratio < 4.5) low.push(`${node.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return low;
})()"""


class Gateway:
    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip().removeprefix("listening on ")

    def wait_for_output(self, text):
        for line in self.process.stdout:
            if text in line:
                return
        raise AssertionError(f"the gateway ended without printing {text!r}")

    def stop(self):
        """Stops the gateway and returns the drain time in seconds."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        assert code == 0, f"the gateway ended with {code}"
        return time.monotonic() - started


def circuit_state(name):
    return ROW % name + ".dataset.state"


def click_action(browser, name, label):
    browser.wait_for(ROW % name + f".querySelector('.action:enabled')?.textContent === '{label}'", f"{name} has a button {label}")
    browser.evaluate(ROW % name + ".querySelector('.action').click()")


def check_layouts(browser, folder):
    """Takes screenshots and checks width and contrast."""
    for width in (1280, 400):
        for scheme in ("light", "dark"):
            browser.emulate(width, scheme)
            widths = browser.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert widths == [width, width], f"{widths[0]} pixels wide on a screen of {width}"
            low_contrast = browser.evaluate(LOW_CONTRAST)
            assert not low_contrast, f"too little contrast ({width}, {scheme}): {low_contrast}"
            browser.screenshot(folder / f"page-{width}-{scheme}.png")


def check_demo(browser, folder, gateway):
    browser.emulate(1280, "light")
    browser.call("Page.navigate", url=gateway.url + "/")
    browser.wait_for("document.querySelectorAll('[data-upstream]').length === %d" % len(UPSTREAMS), "the page lists all upstreams")
    browser.wait_for("document.querySelector('#connection').textContent === 'live'", "the page is live")
    gateway.wait_for_output("Open http")
    for name in UPSTREAMS:
        state = browser.evaluate(ROW % name + ".querySelector('.state-name').textContent")
        assert state in ("closed", "open", "half-open"), f"{name}: {state!r}"
        label = browser.evaluate(ROW % name + ".querySelector('.chart').getAttribute('aria-label')")
        assert label.startswith("Last 5 minutes: "), label

    browser.wait_for("document.querySelector('#traffic:enabled') !== null", "the traffic switch is enabled")
    browser.wait_for("document.querySelector('#traffic').getAttribute('aria-checked') === 'true'", "the traffic switch is on")
    browser.wait_for(ROW % "healthy" + ".querySelector('.success b').textContent === '100 %'", "all requests to healthy succeed")
    browser.wait_for("/^[0-9.]+ · [0-9.]+ ms$/.test(" + ROW % "healthy" + ".querySelector('.latency b').textContent)", "the latency is shown")
    browser.wait_for(circuit_state("dead") + " === 'open'", "the circuit of dead opens")
    assert browser.evaluate(circuit_state("healthy")) == "closed"

    click_action(browser, "healthy", "Break")
    browser.wait_for(circuit_state("healthy") + " === 'open'", "the circuit of healthy opens")
    circuit = browser.evaluate(ROW % "healthy" + ".querySelector('.circuit').textContent")
    assert "opened by bad gateway" in circuit, circuit
    listed_failure = "[...document.querySelectorAll('.failure')].map((node) => node.innerText).find((text) => text.includes('healthy'))"
    line = browser.wait_for(listed_failure, "the failure is listed")
    for text in ("bad gateway", "reported by nginx", "status 502", "Read the log of the gateway", "Evidence: nginx received no valid"):
        assert text in line, f"{text!r} is missing in {line!r}"
    assert "circuits open: healthy" in browser.evaluate("document.querySelector('#summary').textContent")
    check_layouts(browser, folder)

    click_action(browser, "healthy", "Heal")
    browser.wait_for(circuit_state("healthy") + " === 'closed'", "the circuit of healthy closes")
    for fault, behavior in (("slow", "returns 200 after 200 ms"), ("rate-limit", "returns 429"), ("cut", "closes the connection")):
        browser.wait_for(ROW % "healthy" + f".querySelector('.fault:enabled:not([hidden]) [value={fault}]') !== null", f"the fault {fault} is listed")
        browser.evaluate(ROW % "healthy" + f".querySelector('.fault').value = '{fault}'")
        click_action(browser, "healthy", "Break")
        browser.wait_for(ROW % "healthy" + f".querySelector('.behavior').textContent.startsWith('{behavior}')", f"healthy {behavior}")
        if fault == "slow":
            browser.wait_for("parseFloat(" + ROW % "healthy" + ".querySelector('.latency b').textContent.split('·')[1]) > 150", "p95 rises")
        click_action(browser, "healthy", "Heal")
    first = "document.querySelector('.failure .upstream-name').textContent"
    browser.wait_for(first + " !== 'healthy'", "the latest failure comes first")
    click_action(browser, "dead", "Heal")
    browser.wait_for(circuit_state("dead") + " === 'closed'", "the circuit of dead closes")
    assert not browser.errors, browser.errors


def check_reconnect(browser, program, gateway):
    """The page reconnects to a restarted gateway and does not delay its shutdown."""
    drain_seconds = gateway.stop()
    assert drain_seconds < 5, f"draining took {drain_seconds:.1f} s with a page open"
    browser.wait_for("document.querySelector('#connection').dataset.state === 'lost'", "the page reports the lost connection")
    assert browser.evaluate("document.querySelector('#last-minute').textContent").startswith("Not connected")
    address = gateway.url.removeprefix("http://")
    restarted = Gateway(program, "--listen", address, "--upstream", "<b>x=http://127.0.0.1:1")
    assert restarted.process.wait(5) == 2, "a name with markup is invalid"
    restarted = Gateway(program, "--listen", address, "--upstream", f"{'long-' * 40}=http://127.0.0.1:1")
    try:
        browser.wait_for("document.querySelector('#connection').dataset.state === 'live'", "the page connects again")
        browser.wait_for("document.querySelectorAll('[data-upstream]').length === 1", "the page lists the other upstreams")
        assert browser.evaluate("document.querySelectorAll('.controls:not([hidden])').length") == 0, "real upstreams have no buttons"
        assert not browser.evaluate("document.querySelector('#demo').checkVisibility()"), "real upstreams have no traffic switch"
        browser.emulate(400, "light")
        assert browser.evaluate("document.documentElement.scrollWidth") == 400, "a long name makes the page wide"
    finally:
        restarted.stop()


def check_viewer_limit(browser, gateway):
    """The page explains why it shows nothing when all event streams are open."""
    host, port = gateway.url.removeprefix("http://").split(":")
    browser.call("Page.navigate", url="about:blank")
    streams = [socket.create_connection((host, int(port))) for _ in range(8)]
    for stream in streams:
        stream.sendall(f"GET /@/events HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        assert stream.recv(4096)
    errors = len(browser.errors)
    browser.call("Page.navigate", url=gateway.url + "/")
    browser.wait_for("document.querySelector('#last-minute')?.textContent.startsWith('Too many pages are open')", "the page names the limit")
    for stream in streams:
        stream.close()
    browser.wait_for("document.querySelector('#connection').dataset.state === 'live'", "the page connects after another is closed")
    # Chromium logs the refused requests.
    del browser.errors[errors:]


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    browser = Chromium()
    gateway = Gateway(program, "--listen", "127.0.0.1:0")
    try:
        check_demo(browser, folder, gateway)
        check_viewer_limit(browser, gateway)
        check_reconnect(browser, program, gateway)
    finally:
        gateway.process.kill()
        browser.close()
    print(f"The dashboard works; screenshots are in {folder}.")


main()
