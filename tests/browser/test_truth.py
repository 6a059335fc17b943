"""What is shown is true again soon after anything was away, and little is asked meanwhile."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from realcloud import RealCloud

from .labtools import execute, row

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
