"""A headless Chromium, spoken to over a pair of pipes (the DevTools protocol), so that nothing need be installed."""

import base64
import json
import os
import select
import subprocess
import tempfile
import time
from pathlib import Path

__all__ = ["Browser"]

SECONDS = 90


class Browser:
    """One page of a browser of its own.

    ``--force-dark-mode`` is not the preference that a page asks for; the protocol sets that one, and widths below the
    smallest that a window may have.
    """

    def __init__(self, program):
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        given, self._commands = os.pipe()
        self._replies, answer = os.pipe()

        def as_third_and_fourth():
            kept = os.dup(given), os.dup(answer)
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)

        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        options += ["--no-first-run", "--disable-background-networking", "--remote-debugging-pipe"]
        self._process = subprocess.Popen(
            [program, *options, f"--user-data-dir={self._profile.name}", "about:blank"],
            preexec_fn=as_third_and_fourth,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(given)
        os.close(answer)
        self._buffer, self._number, self._session = b"", 0, None
        self.events = []
        self._attach()

    def _attach(self):
        until = time.monotonic() + SECONDS
        pages = []
        while not pages and time.monotonic() < until:
            pages = [one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page"]
        self._session = self.call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (reply := self._read()).get("id") != self._number:
            self.events.append(reply)
        assert "error" not in reply, reply
        return reply["result"]

    def _read(self):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._replies], [], [], SECONDS)
            chunk = os.read(self._replies, 1 << 20) if ready else b""
            if not chunk:
                raise RuntimeError("the browser does not answer")
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def show(self, path: Path, width: int, scheme: str = "light") -> None:
        """Load a page and wait until its pictures are decoded."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())
        self.evaluate("Promise.all([...document.images].map(one => one.decode()))")

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """Return a PNG of the whole page."""
        size = self.evaluate(
            "({width: document.documentElement.clientWidth, height: document.documentElement.scrollHeight})"
        )
        clip = {"x": 0, "y": 0, "scale": 1, **size}
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(answer["data"])

    def print_pdf(self) -> bytes:
        """Return the page as a printer gets it."""
        return base64.b64decode(self.call("Page.printToPDF")["data"])

    def complaints(self):
        """What the console got since the page was asked for."""
        kinds = {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
        return [event["params"] for event in self.events if event.get("method") in kinds]

    def requests(self):
        """Addresses that were asked for, but for those that hold their content."""
        sent = [event["params"]["request"]["url"] for event in self.events if _is_request(event)]
        return [url for url in sent if not url.startswith("data:")]

    def close(self):
        self._session = None
        try:
            self.call("Browser.close")
        except (RuntimeError, OSError):
            self._process.kill()
        self._process.wait(SECONDS)
        os.close(self._commands)
        os.close(self._replies)
        self._profile.cleanup()


def _is_request(event):
    return event.get("method") == "Network.requestWillBeSent"
