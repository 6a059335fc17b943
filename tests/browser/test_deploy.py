"""The dialog that deploys, and updates."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .labtools import execute, execute_soon, row


@pytest.fixture
def dialog(panel, cloud):
    """The dialog of a new deployment."""
    cloud.wait("hello", "running")
    panel.get_by_role("button", name="Deploy a Bento of the cloud").first.click()
    dialog = panel.get_by_role("dialog")
    expect(dialog.get_by_label("The same as a line of a notebook")).to_be_visible()
    return dialog


@pytest.fixture
def deleted(cloud):
    """Takes the deployments of a test away again."""
    before = {view.name for view in cloud.views()}
    yield
    for name in {view.name for view in cloud.views()} - before:
        cloud.bentoml("deployment", "terminate", name, "--wait")
        cloud.bentoml("deployment", "delete", name)


def test_a_bento_is_deployed_and_updated(dialog, panel, cloud, deleted, watched, picture):
    line = dialog.get_by_label("The same as a line of a notebook")
    expect(line).to_have_text("%bento_deploy echo:v1 --name echo --mode online")
    dialog.get_by_label("On-Demand Function").check()
    dialog.get_by_label("Most instances").fill("2")
    dialog.get_by_label("Environment variables").fill("GREETING=hi there")
    dialog.get_by_label("Protected").check()
    expect(line).to_have_text(
        "%bento_deploy echo:v1 --name echo --mode on-demand --max=2 --protected --env=GREETING=..."
    )
    expect(dialog.get_by_label("Fewest instances")).to_have_count(0)
    dialog.get_by_text("More settings").click()
    image = dialog.get_by_label("Image", exact=True)
    image.select_option(label="An OCI image: instances run in containers")
    expect(line).to_contain_text("--image=oci")
    image.select_option(index=0)
    expect(line).not_to_contain_text("--image")
    dialog.get_by_text("More settings").click()
    picture(panel, "deploy-dialog", ".jp-Dialog-content")
    dialog.get_by_role("button", name="Deploy", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(row(panel, "echo")).to_have_attribute("data-status", "scaled-to-zero")
    view = cloud.view("echo")
    assert (view.mode, view.scaling.max, view.protected) == ("on-demand", 2, True)
    assert view.envs == ["GREETING"]

    execute_soon(panel, "bento-jupyter:update", {"name": "echo"})
    expect(dialog).to_contain_text("Update echo")
    expect(dialog.get_by_label("Most instances")).to_have_value("2")
    expect(dialog.get_by_label("Environment variables")).to_have_value("GREETING")
    dialog.get_by_label("Most instances").fill("3")
    changes = dialog.get_by_role("table", name="What will change")
    expect(changes.get_by_role("row")).to_have_count(2)
    expect(changes).to_contain_text("max_replicas")
    dialog.get_by_role("button", name="Update", exact=True).click()
    expect(dialog).to_have_count(0)
    assert cloud.view("echo").scaling.max == 3
    assert cloud.view("echo").envs == ["GREETING"], "its value was kept"
    assert watched.errors == []


def test_what_is_wrong_is_said_where_it_is(dialog, panel, cloud):
    name = dialog.get_by_label("Name", exact=True)
    name.fill("Not a name")
    expect(dialog.get_by_role("alert")).to_contain_text("small letters")
    name.fill("hello")
    expect(dialog.get_by_role("alert")).to_have_text("there is a deployment hello already")
    dialog.get_by_role("button", name="Deploy", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("hello")
    expect(name).to_have_value("hello")
    panel.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert {view.name for view in cloud.views()} == {"hello"}


def test_it_is_reached_from_the_bentos_the_launcher_and_the_palette(panel, cloud):
    dialog = panel.get_by_role("dialog")

    def opened_and_closed():
        expect(dialog).to_contain_text("Deploy a Bento")
        expect(dialog.get_by_label("Bento", exact=True)).to_contain_text("echo:v1")
        expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
        panel.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

    panel.locator(".jp-AccordionPanel-title", has_text="Bentos and Models").click()
    panel.get_by_role("button", name="Deploy echo:v1…").click()
    opened_and_closed()
    panel.locator(".jp-LauncherCard", has_text="Deploy a Bento").click()
    opened_and_closed()
    execute(panel, "apputils:activate-command-palette")
    panel.locator(".lm-CommandPalette-input").fill("Deploy a Bento")
    panel.keyboard.press("Enter")
    opened_and_closed()
