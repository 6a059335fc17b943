"""The sidebar with a thousand deployments of which fifty change per second, in a real JupyterLab and browser.

Terminated ones are started and others terminated, so each change is one that is to be seen; every tenth is of
a row on the screen. All of it is measured while that goes on:

- `sidebar.latency`: from the request that changes a deployment until its row shows that, against a second.
- `sidebar.work`: work of the page's main thread per frame, the median of all seconds, against 16 ms.
- `sidebar.frame`: time between two frames, against that of the same page while nothing changes.
- `sidebar.heap`: growth of the heap after garbage collection, against 50 MiB.

`BENTO_SIDEBAR_SECONDS=600` does so for ten minutes instead of half of one.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from browser import labtools
from browser.conftest import ARGUMENTS, CHROMIUM
from loads import quantile
from playwright.sync_api import CDPSession, sync_playwright
from realcloud import RealCloud

DEPLOYMENTS, PER_SECOND, SENDERS = 1000, 50, 2
#: One of so many changes is of a row on the screen.
SHOWN_EVERY = 10
SECONDS = float(os.environ.get("BENTO_SIDEBAR_SECONDS", "30"))
#: Seconds of changes before anything is measured: code is compiled, caches are filled.
WARM_UP = 5.0

Record = Callable[..., None]

#: When a row on the screen came to show which status; a frame is painted within 16 ms after.
WATCH = """() => {
    window.shown = [];
    new MutationObserver(found => {
        const at = Date.now() / 1000;
        for (const { target } of found) {
            window.shown.push([target.dataset.deployment, target.dataset.status, at]);
        }
    }).observe(
        document.querySelector('#bento-jupyter-panel'),
        { attributeFilter: ['data-status'], attributes: true, subtree: true }
    );
    window.frameTimes = [];
    let before = performance.now();
    const next = now => {
        window.frameTimes.push(now - before);
        before = now;
        requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
}"""
FRAMES = "() => window.frameTimes.splice(0)"
ROWS = "rows => rows.map(row => row.dataset.deployment)"


@dataclass
class Changes:
    """Starts and terminates deployments at a steady pace.

    Attributes:
        statuses: What each deployment was made to be last.
        sent: Name, status that it was made to be, and when that was asked for.
    """

    cloud: RealCloud
    statuses: dict[str, str]
    shown: list[str]
    sent: list[tuple[str, str, float]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> list[threading.Thread]:
        """Change deployments until `over` is set."""
        threads = [threading.Thread(target=self._send, args=(number,)) for number in range(SENDERS)]
        for thread in threads:
            thread.start()
        return threads

    def _send(self, sender: int) -> None:
        rest = [name for name in self.statuses if name not in self.shown]
        shown, others = (itertools.cycle(names[sender::SENDERS]) for names in (self.shown, rest))
        begun = time.monotonic()
        with self.cloud.api as api:
            for number in itertools.count():
                if self.over.wait(max(0.0, begun + number * SENDERS / PER_SECOND - time.monotonic())):
                    return
                name = next(others if number % SHOWN_EVERY else shown)
                off = self.statuses[name] == "terminated"
                at = time.time()
                api.post(
                    f"/api/bj/v1/deployments/{name}/start" if off else f"/api/v2/deployments/{name}/terminate"
                ).raise_for_status()
                self.statuses[name] = "scaled-to-zero" if off else "terminated"
                self.sent.append((name, self.statuses[name], at))


def heap(devtools: CDPSession) -> float:
    """What the page holds after garbage collection, in MiB."""
    devtools.send("HeapProfiler.collectGarbage")
    return metrics(devtools)["JSHeapUsedSize"] / 2**20


def metrics(devtools: CDPSession) -> dict[str, float]:
    """The browser's own figures of the page."""
    return {item["name"]: item["value"] for item in devtools.send("Performance.getMetrics")["metrics"]}


def latencies(
    sent: list[tuple[str, str, float]], shown: list[tuple[str, str, float]], names: list[str]
) -> list[float]:
    """Seconds from each change until its row showed it; infinite where it never did."""
    return [
        min((seen for row, now, seen in shown if (row, now) == (name, status) and seen >= at), default=1e9)
        - at
        for name, status, at in sent
        if name in names
    ]


@pytest.mark.timeout(SECONDS + 900)
def bench_sidebar(record: Record, tmp_path: Path) -> None:
    cloud = RealCloud(tmp_path / "cloud")
    cloud.start()
    try:
        cloud.push_echo()
        cloud.create("first", "--scaling-min", "0")
        cloud.wait("first", "scaled-to-zero")  # the environment is there
        cloud.create_many(f"d-{number:04}" for number in range(DEPLOYMENTS - 1))
        with labtools.jupyter(tmp_path / "lab", cloud.home) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch_persistent_context(
                tmp_path / "profile",
                executable_path=CHROMIUM,
                headless=True,
                args=[*ARGUMENTS, "--no-sandbox"],
            )
            watched = labtools.Watched(browser.new_page())
            page = watched.open(server.page("lab?reset"))
            page.locator(".jp-Launcher").wait_for()
            labtools.execute(page, "bento-jupyter:show-panel", timeout=120)
            labtools.row(page, "d-0000").wait_for(timeout=120_000)
            rows = page.locator("[role=treeitem][data-deployment]").evaluate_all(ROWS)
            devtools = browser.new_cdp_session(page)
            devtools.send("Performance.enable")
            page.evaluate(WATCH)
            page.wait_for_function("() => window.frameTimes.length > 120")
            quiet = page.evaluate(FRAMES)

            changes = Changes(cloud, {view.name: str(view.status) for view in cloud.views()}, rows)
            threads = changes.begin()
            page.wait_for_timeout(WARM_UP * 1000)
            page.evaluate(FRAMES)
            held, asked, begun = heap(devtools), len(watched.requests), time.time()
            frames, work = [], []
            before = metrics(devtools)["TaskDuration"]
            while time.time() < begun + SECONDS:
                page.wait_for_timeout(1000)
                drawn, after = page.evaluate(FRAMES), metrics(devtools)["TaskDuration"]
                frames += drawn
                work.append((after - before) / max(1, len(drawn)))
                before = after
            ended = time.time()
            changes.over.set()
            for thread in threads:
                thread.join()
            for name in rows:  # nothing is lost, whatever happened on the way
                labtools.row(page, name).and_(
                    page.locator(f"[data-status='{changes.statuses[name]}']")
                ).wait_for()
            grown = heap(devtools) - held
            timed = [each for each in changes.sent if begun <= each[2] < ended]
            late = latencies(timed, page.evaluate("() => window.shown"), rows)
            print(
                f"\n{len(timed) / (ended - begun):.0f} changes per second, {len(late)} on the screen; "
                f"latency: median {quantile(late, 0.5):.3f} s, p95 {quantile(late, 0.95):.3f} s; "
                f"{(len(watched.requests) - asked) / (ended - begun):.1f} requests of the page per second; "
                f"heap grew by {grown:.1f} MiB in {ended - begun:.0f} s; "
                f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
            )
            assert watched.errors == []
            record("sidebar.latency", quantile(late, 0.95), 1.0)
            record("sidebar.work", quantile(work, 0.5), 0.016)
            record("sidebar.frame", quantile(frames, 0.5) / 1000, quantile(quiet, 0.5) / 1000)
            record("sidebar.heap", max(grown, 0.0), 50, "MiB")
            browser.close()
    finally:
        cloud.stop()
