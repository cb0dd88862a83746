#!/usr/bin/env python3
"""The gateway's page as a browser shows it: `page.py PROGRAM FOLDER`, FOLDER being for the screenshots.

Standard library only; Chromium from the system.
"""

import pathlib
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from chromium import Chromium  # noqa: E402

UPSTREAMS = ["healthy", "flaky", "busy", "dead", "reset", "truncated", "garbage", "silent"]

ROW = "document.querySelector('[data-upstream=%s]')"

# Whatever is read must stand out from what is behind it: WCAG 2.2, 1.4.3, also where nothing is large.
CONTRAST = """(() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = rgb(colour).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const low = [];
  for (const node of document.querySelectorAll("body *")) {
    const text = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!text || node.disabled || !node.checkVisibility()) continue;
    const ink = light(getComputedStyle(node).color);
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) low.push(`${node.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return low;
})()"""


class Gateway:
    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip().removeprefix("listening on ")

    def until(self, text):
        for line in self.process.stdout:
            if text in line:
                return
        raise AssertionError(f"the gateway ended without saying {text!r}")

    def end(self):
        """Gives the time it took to drain."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        assert code == 0, f"the gateway ended with {code}"
        return time.monotonic() - started


def circuit(name):
    return ROW % name + ".dataset.state"


def press(browser, name, act):
    browser.wait(ROW % name + f".querySelector('.act:enabled')?.textContent === '{act}'", f"{name} has a button {act}")
    browser.run(ROW % name + ".querySelector('.act').click()")


def looks(browser, folder):
    """Screenshots, and what must hold of each of them."""
    for width in (1280, 400):
        for scheme in ("light", "dark"):
            browser.look(width, scheme)
            wide = browser.run("[document.documentElement.scrollWidth, innerWidth]")
            assert wide == [width, width], f"{wide[0]} pixels wide on a screen of {width}"
            low = browser.run(CONTRAST)
            assert not low, f"too little contrast ({width}, {scheme}): {low}"
            browser.screenshot(folder / f"page-{width}-{scheme}.png")


def watch(browser, folder, gateway):
    browser.look(1280, "light")
    browser.ask("Page.navigate", url=gateway.url + "/")
    browser.wait("document.querySelectorAll('[data-upstream]').length === %d" % len(UPSTREAMS), "all upstreams are there")
    browser.wait("document.querySelector('#link').textContent === 'live'", "the page is live")
    gateway.until("Look at ")
    for name in UPSTREAMS:
        word = browser.run(ROW % name + ".querySelector('.word').textContent")
        assert word in ("closed", "open", "half-open"), f"{name}: {word!r}"
        label = browser.run(ROW % name + ".querySelector('.chart').getAttribute('aria-label')")
        assert label.startswith("Last 5 minutes: "), label

    browser.wait("document.querySelector('#traffic:enabled') !== null", "traffic can be sent")
    browser.run("document.querySelector('#traffic').click()")
    browser.wait("document.querySelector('#traffic').getAttribute('aria-checked') === 'true'", "traffic is sent")
    browser.wait(ROW % "healthy" + ".querySelector('.success b').textContent === '100 %'", "healthy succeeds")
    browser.wait(circuit("dead") + " === 'open'", "dead is cut off")
    assert browser.run(circuit("healthy")) == "closed"

    press(browser, "healthy", "Break")
    browser.wait(circuit("healthy") + " === 'open'", "the circuit of healthy opens")
    why = browser.run(ROW % "healthy" + ".querySelector('.why').textContent")
    assert "opened by bad gateway" in why, why
    listed = "[...document.querySelectorAll('.failure')].map((node) => node.innerText).find((text) => text.includes('healthy'))"
    line = browser.wait(listed, "the failure is listed")
    for text in ("bad gateway", "reported by nginx", "status 502", "Find out which gateway answered", "Recognised: nginx got no valid"):
        assert text in line, f"{text!r} is missing in {line!r}"
    assert "cut off: healthy" in browser.run("document.querySelector('#verdict').textContent")
    looks(browser, folder)

    press(browser, "healthy", "Heal")
    browser.wait(circuit("healthy") + " === 'closed'", "the circuit of healthy closes")
    press(browser, "dead", "Heal")
    browser.wait(circuit("dead") + " === 'closed'", "a healed upstream is let back in")
    assert not browser.errors, browser.errors


def outlives(browser, program, gateway):
    """The page survives a restart of the gateway, and does not keep it from ending."""
    drained = gateway.end()
    assert drained < 5, f"draining took {drained:.1f} s with a page open"
    browser.wait("document.querySelector('#link').dataset.state === 'lost'", "the page says that it is not connected")
    assert browser.run("document.querySelector('#minute').textContent").startswith("Not connected")
    address = gateway.url.removeprefix("http://")
    again = Gateway(program, "--listen", address, "--upstream", "<b>x=http://127.0.0.1:1")
    assert again.process.wait(5) == 2, "a name is no markup"
    again = Gateway(program, "--listen", address, "--upstream", f"{'long-' * 40}=http://127.0.0.1:1")
    try:
        browser.wait("document.querySelector('#link').dataset.state === 'live'", "the page connects again")
        browser.wait("document.querySelectorAll('[data-upstream]').length === 1", "it shows the other upstreams")
        assert browser.run("document.querySelectorAll('button:not([hidden])').length - 1") == 0, "a real upstream has no buttons"
        assert not browser.run("document.querySelector('#demo').checkVisibility()"), "nor traffic"
        browser.look(400, "light")
        assert browser.run("document.documentElement.scrollWidth") == 400, "a long name makes the page wide"
    finally:
        again.end()


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    browser = Chromium()
    gateway = Gateway(program, "--listen", "127.0.0.1:0")
    try:
        watch(browser, folder, gateway)
        outlives(browser, program, gateway)
    finally:
        gateway.process.kill()
        browser.close()
    print(f"The page is as it should be; screenshots are in {folder}.")


main()
