"""Other clouds than the embedded one in the sidebar: one that tells all, and one like BentoCloud."""

from __future__ import annotations

import pytest
import yaml
from plain_cloud import logged_in_to
from playwright.sync_api import expect
from realcloud import RealCloud

from .labtools import choose, execute, row
from .notebooklab import DARK, LIGHT, themed

EMBEDDED = "Show the deployments of the embedded cloud"


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """Another cloud, with a deployment of the same name and one that is its own."""
    team = RealCloud(tmp_path_factory.mktemp("team"))
    team.start()
    try:
        team.push_echo()
        for name in ("hello", "theirs"):
            team.create(name)
        for name in ("hello", "theirs"):
            team.wait(name, "running")
        yield team
    finally:
        team.stop()


@pytest.fixture
def logged_in(cloud, team):
    """As `team`, and as `bare` where it is like BentoCloud."""
    with logged_in_to(team, cloud.folder / "bentoml" / ".yatai.yaml"):
        yield


@pytest.fixture
def clouds(logged_in, panel):
    """The section of the clouds, beside the one of the deployments."""
    panel.locator(".jp-AccordionPanel-title", has_text="Clouds").click()
    return panel


def show(page, name):
    page.get_by_role("button", name=f"Show the deployments of {name}").click()
    expect(page.get_by_text(f"{name} is running · ")).to_be_visible()


@pytest.mark.parametrize("name", ["team", "bare"])
def test_its_deployments_are_shown_changed_and_asked(clouds, cloud, team, watched, picture, name):
    cloud.start()
    cloud.wait("hello", "running")
    expect(row(clouds, "hello")).to_be_visible()
    expect(row(clouds, "theirs")).to_have_count(0)
    show(clouds, name)
    expect(row(clouds, "theirs")).to_have_attribute("data-status", "running")
    shown = clouds.get_by_role("list", name="Other clouds").get_by_role("listitem").filter(has_text=name)
    expect(shown).to_contain_text("shown")
    expect(shown).to_be_focused()
    expect(clouds.get_by_role("region", name="Embedded cloud")).to_contain_text("on this machine")
    for theme, end in ((DARK, "-dark"), (LIGHT, "")):
        themed(clouds, theme)
        if name == "team":
            picture(clouds, f"sidebar-other-cloud{end}")

    # What is done is done there, though there is one of this name here.
    choose(clouds, "hello", "Terminate…")
    expect(clouds.get_by_role("dialog")).to_contain_text(f"In {name}: Its instances stop")
    clouds.get_by_role("dialog").get_by_role("button", name="Terminate").click()
    team.wait("hello", "terminated")
    expect(row(clouds, "hello")).to_have_attribute("data-status", "terminated")
    assert cloud.view("hello").status == "running"
    choose(clouds, "hello", "Start")
    team.wait("hello", "running")

    # What somebody else does there shows by itself.
    team.bentoml("deployment", "terminate", "theirs")
    expect(row(clouds, "theirs")).to_have_attribute("data-status", "terminated")
    with team.api as api:
        api.put("/api/v2/deployments/theirs/void_update").raise_for_status()
    expect(row(clouds, "theirs")).to_have_attribute("data-status", "running")

    row(clouds, "hello").dblclick()
    clouds.get_by_role("tab", name="Playground").click()
    play = clouds.get_by_role("tabpanel", name="Playground")
    play.get_by_role("button", name="Ask").click()
    expect(play.get_by_role("status", name="Answer")).to_contain_text("TEXT")
    clouds.get_by_role("tab", name="Configuration").click()
    panel = clouds.get_by_role("tabpanel", name="Configuration")
    expect(panel).to_contain_text(f"--cloud={name}")
    for tab, told in (
        ("Instances", "Ready"),
        ("Revisions", "Revision 1"),
        ("Logs", "Service Echo initialized"),
    ):
        clouds.get_by_role("tab", name=tab).click()
        panel = clouds.get_by_role("tabpanel", name=tab)
        expect(panel).to_contain_text(told if name == "team" else "bare does not tell this")

    # The details stay those of their cloud.
    clouds.get_by_role("button", name=EMBEDDED).click()
    expect(row(clouds, "theirs")).to_have_count(0)
    expect(clouds.get_by_text(f"hello is in {name}, which is not shown now.")).to_be_visible()
    scale = clouds.locator(".jp-BentoDetailsWidget .jp-Toolbar").get_by_role("button", name="Terminate")
    expect(scale).to_be_disabled()
    clouds.get_by_role("button", name=f"Show {name}", exact=True).click()
    expect(clouds.get_by_role("tablist", name="Details of hello")).to_be_visible()
    assert watched.errors == []


def test_the_cloud_that_was_shown_is_shown_again_after_a_reload(clouds, lab, watched):
    with clouds.expect_response(
        lambda answer: "/api/workspaces/" in answer.url and answer.request.method == "PUT"
    ):
        show(clouds, "team")
    page = watched.open(lab.page("lab"))
    execute(page, "bento-jupyter:show-panel")
    expect(row(page, "theirs")).to_be_visible()
    expect(page.get_by_text("team is running · ")).to_be_visible()


def test_one_that_is_away_says_so_and_lets_one_go_home(clouds, cloud):
    file = cloud.folder / "bentoml" / ".yatai.yaml"
    show(clouds, "team")
    said = yaml.safe_load(file.read_text())
    said["contexts"][0]["api_token"] = "wrong"
    file.write_text(yaml.safe_dump(said))
    notice = clouds.locator(".jp-BentoNotice")
    expect(notice).to_contain_text("team refuses the token")
    file.write_text(yaml.safe_dump({"contexts": []}))
    expect(notice).to_contain_text("nobody is logged in to a cloud team")
    notice.get_by_role("button", name="Show the embedded cloud").click()
    expect(row(clouds, "hello")).to_be_visible()
    expect(row(clouds, "theirs")).to_have_count(0)
