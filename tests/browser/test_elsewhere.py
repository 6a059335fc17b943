"""Where the sidebar is not at home: Notebook 7, a server without our half, and one behind a hub's proxy."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import nbformat
import pytest
from playwright.sync_api import expect
from realcloud import eventually, free_port

from .labtools import choose, execute, jupyter, row

MODULES = Path(__file__).parents[2] / "labextension" / "node_modules"
HUB_PROXY = MODULES / "configurable-http-proxy" / "bin" / "configurable-http-proxy"


def test_notebook_7_shows_the_panel(installed, cloud, watched, tmp_path):
    cloud.start()
    pytest.importorskip("notebook")
    with jupyter(tmp_path, cloud.home, app="notebook") as server:
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
        nbformat.write(notebook, server.root / "a.ipynb")
        page = watched.open(server.page("notebooks/a.ipynb"))
        page.locator(".lm-MenuBar-itemLabel", has_text="View").click()
        page.locator(".lm-Menu-itemLabel", has_text="Left Sidebar").hover()
        expect(page.locator(".lm-Menu-itemLabel", has_text="Bento deployments")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        expect(page.locator(".lm-Menu")).to_have_count(0)
        execute(page, "bento-jupyter:show-panel")
        expect(row(page, "hello")).to_contain_text("Running", timeout=30_000)
        toolbar = page.locator(".jp-NotebookPanel-toolbar")
        toolbar.get_by_role("button", name="Deploy a Bento of the cloud").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_label("The same as a line of a notebook")).to_contain_text("echo:v1")
        expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        choose(page, "hello", "Update…")
        expect(dialog).to_contain_text("Update hello")
        page.keyboard.press("Escape")


def test_without_the_server_half_one_notice_says_what_to_run(installed, cloud, watched, tmp_path):
    off = "--ServerApp.jpserver_extensions={'bento_jupyter': False}"
    with jupyter(tmp_path, cloud.home, off) as server:
        page = watched.open(server.page("lab?reset"))
        execute(page, "bento-jupyter:show-panel")
        notice = page.locator(".jp-BentoNotice")
        expect(notice).to_have_count(1)
        expect(notice).to_contain_text("jupyter server extension enable bento_jupyter")
        assert len(watched.requests) <= 4
        page.get_by_role("button", name="Retry").click()
        expect(notice).to_contain_text("jupyter server extension enable bento_jupyter")


@contextlib.contextmanager
def hub_proxy(path, target):
    """JupyterHub's own proxy, which sends what is below a path to a server; gives its address."""
    node = shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert node is not None, "Node built the extension"
    port, control, token = free_port(), free_port(), secrets.token_hex(16)
    addresses = ["--ip=127.0.0.1", f"--port={port}", "--api-ip=127.0.0.1", f"--api-port={control}"]
    process = subprocess.Popen(
        [node, str(HUB_PROXY), *addresses],
        env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": token},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def is_told():
        with contextlib.suppress(httpx.TransportError):
            return httpx.post(
                f"http://127.0.0.1:{control}/api/routes{path}",
                json={"target": target},
                headers={"Authorization": f"token {token}"},
                trust_env=False,
            ).is_success

    try:
        eventually(is_told)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_behind_the_proxy_of_a_hub_everything_is_reached(installed, cloud, watched, tmp_path):
    cloud.start()
    base = "/user/someone/"
    with (
        jupyter(tmp_path, cloud.home, f"--ServerApp.base_url={base}") as server,
        hub_proxy(base.rstrip("/"), server.url.removesuffix(base)) as hub,
    ):
        page = watched.open(server.page("lab?reset").replace(server.url, f"{hub}{base}"))
        execute(page, "bento-jupyter:show-panel")
        expect(row(page, "hello")).to_contain_text("Running", timeout=30_000)
        execute(page, "bento-jupyter:open-details", {"name": "hello", "tab": "logs"})
        expect(page.get_by_role("log")).to_contain_text("Echo")
        page.get_by_role("tab", name="Playground").click()
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_role("status", name="Answer")).to_contain_text("TEXT")
        assert page.url.startswith(hub)
        assert watched.errors == []
