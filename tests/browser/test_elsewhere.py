"""Where the sidebar is not at home: Notebook 7, and a server without our half."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import expect

from .labtools import execute, jupyter, row


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


def test_below_a_prefix_as_in_a_hub_everything_is_reached(installed, cloud, watched, tmp_path):
    cloud.start()
    with jupyter(tmp_path, cloud.home, "--ServerApp.base_url=/user/someone/") as server:
        assert server.url.endswith("/user/someone/")
        page = watched.open(server.page("lab?reset"))
        execute(page, "bento-jupyter:show-panel")
        expect(row(page, "hello")).to_contain_text("Running", timeout=30_000)
        execute(page, "bento-jupyter:open-details", {"name": "hello", "tab": "logs"})
        expect(page.get_by_role("log")).to_contain_text("Echo")
        page.get_by_role("tab", name="Playground").click()
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_role("status", name="Answer")).to_contain_text("TEXT")
        assert watched.errors == []
