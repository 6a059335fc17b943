"""What is shown is true again soon after anything was away, and little is asked meanwhile."""

from __future__ import annotations

import socket

import pytest
from playwright.sync_api import expect
from realcloud import RealCloud

from .labtools import Watched, execute, jupyter, row

#: Milliseconds within which the panel is true again.
SOON = 5_000


@pytest.fixture
def own(tmp_path):
    """A cloud of the test's own, with the deployment `hello`."""
    cloud = RealCloud(tmp_path / "cloud")
    cloud.start()
    try:
        cloud.push_echo()
        cloud.create("hello", "--scaling-min", "0")
        cloud.wait("hello", "scaled-to-zero")
        yield cloud
    finally:
        cloud.stop()


def has_status(page, status, timeout=SOON):
    expect(row(page, "hello")).to_have_attribute("data-status", status, timeout=timeout)


def test_two_tabs_survive_restarts_of_server_and_cloud(installed, own, browser, watched, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def server():
        return jupyter(tmp_path / "lab", own.home, port=port, token="the-same")

    tabs = [watched, Watched(browser.new_page())]
    with server() as first:
        for tab in tabs:
            tab.open(first.page("lab?reset"))
            execute(tab.page, "bento-jupyter:show-panel")
            has_status(tab.page, "scaled-to-zero", 30_000)
        # The cloud dies, and another one takes its place.
        own.kill()
        for tab in tabs:
            heading = tab.page.get_by_role("heading", name="The cloud is not running")
            expect(heading).to_be_visible(timeout=SOON)
        own.start()
        for tab in tabs:
            has_status(tab.page, "scaled-to-zero")
        # Its token is replaced while it runs: whoever comes with the new one is refused.
        right = own.home.token_file.read_text()
        own.home.token_file.write_text("another-token")
        for tab in tabs:
            execute(tab.page, "bento-jupyter:refresh")
            expect(tab.page.get_by_role("heading", name="The cloud refuses the token")).to_be_visible()
        # Also where it can be stopped: it runs.
        title = tabs[0].page.locator(".jp-AccordionPanel-title", has_text="Clouds")
        title.click()
        region = tabs[0].page.get_by_role("region", name="Embedded cloud")
        expect(region).to_contain_text("refuses the token")
        expect(region.get_by_role("button", name="Stop…")).to_be_enabled()
        title.click()
        own.home.token_file.write_text(right)
        for tab in tabs:
            has_status(tab.page, "scaled-to-zero")
        # One logs in again by a click.
        own.home.token_file.write_text("another-token")
        for tab in tabs:
            execute(tab.page, "bento-jupyter:refresh")
        tabs[0].page.get_by_role("button", name="Restart the cloud and log in").click()
        for tab in tabs:
            has_status(tab.page, "scaled-to-zero", 30_000)
        assert own.view("hello").status == "scaled-to-zero", "the new token is the cloud's"
    for tab in tabs:
        expect(tab.page.locator(".jp-BentoSection.jp-mod-stale")).to_be_visible(timeout=30_000)
        tab.requests.clear()
    own.bentoml("deployment", "terminate", "hello", "--wait")
    with server():
        for tab in tabs:
            has_status(tab.page, "terminated")
            assert len(tab.requests) < 40, tab.requests
        # Hints reach the tabs again.
        own.create("another")
        for tab in tabs:
            expect(row(tab.page, "another")).to_be_visible(timeout=SOON)
    tabs[1].page.close()


def test_a_hidden_panel_asks_for_no_traffic(panel, cloud, watched):
    cloud.wait("hello", "running")
    expect(row(panel, "hello")).to_have_attribute("data-status", "running")
    execute(panel, "filebrowser:activate")
    expect(row(panel, "hello")).to_be_hidden()
    watched.requests.clear()
    cloud.create("hidden", "--scaling-min", "0")
    try:
        # The status bar still tells, by what a hint has named.
        expect(panel.get_by_role("button", name="2 of 2 deployments answer")).to_be_visible()
        asked = [request for request in watched.requests if "changes" not in request]
        assert not [request for request in asked if "traffic" in request or "bentos" in request], asked
    finally:
        cloud.bentoml("deployment", "terminate", "hidden", "--wait")
        cloud.bentoml("deployment", "delete", "hidden")
