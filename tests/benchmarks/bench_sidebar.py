"""The sidebar with a thousand deployments in a real cloud, JupyterLab and browser.

`sidebar.latency` is from the change in the cloud until it is on the screen, against a second; `sidebar.frame`
the time between two frames while deployments change, against that of a page where nothing happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from browser import labtools
from browser.conftest import ARGUMENTS, CHROMIUM
from loads import quantile
from playwright.sync_api import sync_playwright
from realcloud import RealCloud

from bento_jupyter.spec import DeploymentSpec

#: Deployments that there are, those whose way to the screen is timed, and changes while frames are.
DEPLOYMENTS, TIMED, CHANGES, PER_SECOND = 1000, 40, 500, 50

Record = Callable[..., None]

WATCH = """() => {
    window.seen = {};
    const look = () => {
        for (const row of document.querySelectorAll('[role=treeitem][data-deployment]')) {
            window.seen[row.dataset.deployment] ??= Date.now() / 1000;
        }
    };
    new MutationObserver(look).observe(
        document.querySelector('#bento-jupyter-panel'), { childList: true, subtree: true }
    );
}"""
FRAMES = """() => {
    window.frames_ = [];
    let before = performance.now();
    const next = now => {
        window.frames_.push(now - before);
        before = now;
        window.counting = requestAnimationFrame(next);
    };
    window.counting = requestAnimationFrame(next);
}"""
FRAMES_SEEN = "() => { cancelAnimationFrame(window.counting); return window.frames_.slice(5); }"


class Api:
    """The control plane, as any client uses it."""

    def __init__(self, cloud: RealCloud) -> None:
        headers = {"X-YATAI-API-TOKEN": cloud.state.token}
        self.client = httpx.Client(
            base_url=cloud.state.endpoint, headers=headers, timeout=60, trust_env=False
        )

    def create(self, name: str) -> None:
        spec = DeploymentSpec(name=name, bento="echo:v1", mode="on-demand")
        self.client.post("/api/v2/deployments", json=spec.to_wire("Echo")).raise_for_status()

    def change(self, name: str, most: int) -> None:
        body = DeploymentSpec(name=name, bento="echo:v1", mode="on-demand", max=most).to_wire("Echo")
        body = {key: value for key, value in body.items() if key not in ("name", "dev")}
        self.client.put(f"/api/v2/deployments/{name}", json=body).raise_for_status()


@pytest.mark.timeout(1800)
def bench_sidebar(record: Record, tmp_path: Path) -> None:
    cloud = RealCloud(tmp_path / "cloud")
    cloud.start()
    try:
        cloud.push_echo()
        cloud.create("first", "--scaling-min", "0")
        cloud.wait("first", "scaled-to-zero")  # the environment is there
        api = Api(cloud)
        for number in range(DEPLOYMENTS - TIMED - 1):
            api.create(f"d-{number:04}")
        with labtools.jupyter(tmp_path / "lab", cloud.home) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch_persistent_context(
                tmp_path / "profile",
                executable_path=CHROMIUM,
                headless=True,
                args=[*ARGUMENTS, "--no-sandbox", "--enable-precise-memory-info", "--js-flags=--expose-gc"],
            )
            page = labtools.Watched(browser.new_page()).open(server.page("lab?reset"))
            labtools.execute(page, "bento-jupyter:show-panel", timeout=120)
            page.get_by_role("tree", name="Deployments").wait_for(timeout=120_000)
            page.get_by_role("button", name="Filter, group and sort").click()
            page.get_by_label("Sort by").select_option("age")
            page.get_by_role("tree", name="Deployments").evaluate("element => { element.scrollTop = 0; }")

            page.evaluate(WATCH)
            latencies = []
            for number in range(TIMED):
                name = f"z-{number:04}"
                api.create(name)
                labtools.row(page, name).wait_for()
                seen = page.evaluate("name => window.seen[name]", name)
                latencies.append(seen - cloud.view(name).created_at.timestamp())
            record("sidebar.latency", quantile(latencies, 0.95), 1.0)

            page.evaluate(FRAMES)
            page.wait_for_function("() => window.frames_.length > 120")
            quiet = page.evaluate(FRAMES_SEEN)
            page.evaluate("() => gc()")
            heap = page.evaluate("() => performance.memory.usedJSHeapSize")
            page.evaluate(FRAMES)
            begun = time.monotonic()
            for number in range(CHANGES):
                api.change(f"d-{number % (DEPLOYMENTS // 10):04}", 2 + number)
                page.wait_for_timeout(max(0.0, begun + number / PER_SECOND - time.monotonic()) * 1000)
            rate = CHANGES / (time.monotonic() - begun)
            busy = page.evaluate(FRAMES_SEEN)
            page.evaluate("() => gc()")
            grown = page.evaluate("() => performance.memory.usedJSHeapSize") - heap
            print(f"\n{rate:.0f} changes per second, heap grew by {grown / 2**20:.1f} MiB")
            record("sidebar.frame", quantile(busy, 0.5) / 1000, quantile(quiet, 0.5) / 1000)
            record("sidebar.heap", max(grown, 0) / 2**20, 50, "MiB")
            browser.close()
    finally:
        cloud.stop()
