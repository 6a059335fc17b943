"""Bentos, models and clouds in the sidebar."""

from __future__ import annotations

import re
import shutil
from datetime import datetime, timezone

import pytest
import yaml
from playwright.sync_api import expect
from realcloud import RealCloud

from bento_jupyter.proofs import ProofNote, keep

from .labtools import execute
from .notebooklab import DARK, LIGHT, themed

#: The section that is open.
SHOWN = "#bento-jupyter-panel .jp-BentoInventory:visible"
#: What the browser keeps.
STORED = """() => [localStorage, sessionStorage].map(each => JSON.stringify({ ...each })).join()"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Another cloud, which nobody is logged in to yet."""
    other = RealCloud(tmp_path_factory.mktemp("elsewhere"))
    other.start()
    yield other
    other.stop()


@pytest.fixture
def contexts(cloud):
    """The `bentoml` client is logged in to the embedded cloud, as after `%bento_cloud start`."""
    cloud.start()
    context = {"name": "embedded", "endpoint": cloud.state.endpoint, "api_token": cloud.state.token}
    file = cloud.folder / "bentoml" / ".yatai.yaml"
    file.write_text(yaml.safe_dump({"contexts": [context], "current_context_name": "embedded"}))
    yield
    file.unlink()


@pytest.fixture
def fresh(cloud):
    """A proven Bento that only the local store has."""
    cloud.start()
    cloud.bentoml("build", "--name", "fresh", "--version", "v1", str(cloud.folder / "project"))
    note = ProofNote(equal=True, line="1 endpoint, 5 rows, max difference 0", at=datetime.now(timezone.utc))
    keep(cloud.home, "fresh:v1", note)
    yield "fresh:v1"
    shutil.rmtree(cloud.folder / "bentoml" / "bentos" / "fresh")


def opened(page, title):
    """A section of the sidebar, with the first one closed to make room."""
    panel = page.locator("#bento-jupyter-panel")
    for name in ("Deployments", title):
        panel.locator(".jp-AccordionPanel-title", has_text=name).click()
    return panel


def act(page, tag, label):
    """Choose from the menu of a Bento or a model."""
    page.get_by_role("button", name=f"Actions of {tag}").click()
    page.get_by_role("menuitem", name=label).click()


def test_a_bento_of_the_local_store_is_exported_pushed_deployed_and_deleted(
    panel, lab, cloud, fresh, watched, picture
):
    section = opened(panel, "Bentos and Models")
    item = section.get_by_role("listitem").filter(has_text=fresh)
    expect(item).to_contain_text("✓ proven")
    expect(item).to_contain_text("in the local store only")
    echo = section.get_by_role("listitem").filter(has_text="echo:v1")
    expect(echo).to_contain_text("deployed as hello")
    expect(echo).not_to_contain_text("proven")
    for theme, end in ((DARK, "-dark"), (LIGHT, "")):
        themed(panel, theme)
        picture(panel, f"sidebar-bentos{end}", SHOWN)

    dialog = panel.get_by_role("dialog")
    act(panel, fresh, "Export Project…")
    expect(dialog.get_by_role("textbox")).to_have_value("fresh-v1")
    dialog.get_by_role("textbox").fill("projects/fresh")
    dialog.get_by_role("button", name="Export").click()
    told = panel.locator(".Toastify__toast", has_text="The project is in projects/fresh")
    expect(told).to_be_visible(timeout=30_000)
    assert "class Echo" in (lab.root / "projects" / "fresh" / "service.py").read_text()
    told.get_by_role("button", name="Show").click()
    expect(panel.get_by_role("listitem", name=re.compile("service.py"))).to_be_visible()
    execute(panel, "bento-jupyter:show-panel")

    # To deploy it here is to bring it here.
    item.get_by_role("button", name=f"Deploy {fresh}…").click()
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("fresh", timeout=30_000)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    expect(item).not_to_contain_text("local store only")
    assert item.get_by_role("button", name="Actions of").get_attribute("aria-haspopup") == "menu"
    act(panel, fresh, "Delete…")
    dialog.get_by_role("button", name="Delete").click()
    expect(item).to_contain_text("in the local store only")
    panel.get_by_role("button", name="Actions of echo:v1").click()
    expect(panel.get_by_role("menuitem", name="Delete…")).to_have_attribute("aria-disabled", "true")
    panel.keyboard.press("Escape")
    assert watched.errors == []


def test_one_logs_in_to_another_cloud_pushes_to_it_and_logs_out(
    contexts, panel, cloud, lab, elsewhere, watched, picture
):
    section = opened(panel, "Clouds")
    for word in ("Instances", "Kept warm", "Environments"):
        expect(section.get_by_role("region", name="Embedded cloud")).to_contain_text(word)
    dialog = panel.get_by_role("dialog")
    section.get_by_role("button", name="Log in to a cloud…").click()
    token = dialog.get_by_label("API token")
    expect(token).to_be_focused()
    dialog.get_by_label("Address of the cloud").fill(elsewhere.state.endpoint)
    dialog.get_by_label("Name to keep it under").fill("prod")
    token.fill("not-the-token")
    token.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("does not accept the token", timeout=30_000)
    expect(token).to_be_focused()
    token.fill(elsewhere.state.token)
    dialog.get_by_role("button", name="Log In").click()
    expect(dialog).to_have_count(0, timeout=30_000)
    prod = section.get_by_role("list", name="Other clouds").get_by_role("listitem").filter(has_text="prod")
    expect(prod).to_contain_text("logged in as")
    secret = elsewhere.state.token
    assert secret not in panel.content()
    assert secret not in panel.evaluate(STORED)
    assert secret not in lab.log.read_text()
    for theme, end in ((DARK, "-dark"), (LIGHT, "")):
        themed(panel, theme)
        picture(panel, f"sidebar-clouds{end}", SHOWN)

    expect(section.get_by_role("region", name="Embedded cloud")).to_contain_text("current")
    section.get_by_role("button", name="Make prod current").click()
    expect(prod).to_contain_text("current", timeout=30_000)
    section.get_by_role("button", name="Make embedded current").click()
    expect(section.get_by_role("region", name="Embedded cloud")).to_contain_text("current", timeout=30_000)
    execute(panel, "bento-jupyter:push-bento", {"tag": "echo:v1", "cloud": "prod"})
    expect(panel.locator(".Toastify__toast", has_text="echo:v1 is in prod")).to_be_visible(timeout=30_000)
    elsewhere.stop()
    execute(panel, "bento-jupyter:push-bento", {"tag": "echo:v1", "cloud": "prod"})
    failed = panel.locator(".Toastify__toast", has_text="echo:v1 was not pushed")
    expect(failed).to_contain_text("does not answer", timeout=30_000)
    expect(prod).to_contain_text("does not answer", timeout=60_000)
    section.get_by_role("button", name="Log out of prod").click()
    dialog.get_by_role("button", name="Log Out").click()
    expect(panel.locator(".Toastify__toast", has_text="Logged out of prod")).to_be_visible(timeout=30_000)
    expect(prod).to_have_count(0)
    assert secret not in (cloud.folder / "bentoml" / ".yatai.yaml").read_text()
    assert watched.errors == []


def test_what_is_typed_in_a_dialog_at_once_stays_in_its_field(contexts, panel, watched):
    """A dialog focuses its first field when the browser is idle, which here is late."""
    section = opened(panel, "Clouds")
    panel.evaluate(
        "() => { window.late = []; window.kept = window.requestIdleCallback; "
        "window.requestIdleCallback = work => window.late.push(work); }"
    )
    section.get_by_role("button", name="Log in to a cloud…").click()
    address = panel.get_by_role("dialog").get_by_label("Address of the cloud")
    address.focus()
    panel.evaluate("() => { window.late.forEach(work => work({ timeRemaining: () => 50 })); }")
    panel.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    expect(address).to_be_focused()
    panel.evaluate("() => { window.requestIdleCallback = window.kept; }")
    panel.keyboard.press("Escape")
    expect(panel.get_by_role("dialog")).to_have_count(0)
    assert watched.errors == []


def test_a_cloud_is_started_on_what_one_chooses(cloud, panel, watched, lab, picture):
    cloud.stop()
    section = opened(panel, "Clouds")
    dialog = panel.get_by_role("dialog")
    section.get_by_role("button", name="Start on containers or a cluster…").click()
    engine = dialog.get_by_label("Instances run as")
    expect(engine).to_be_focused()
    expect(dialog.get_by_label("Dashboard of the cluster")).to_have_count(0)
    engine.select_option(label="processes on the nodes of a Ray cluster")
    dialog.get_by_label("Dashboard of the cluster").fill("http://127.0.0.1:9")
    dialog.get_by_label("Its token").fill("a-token-of-nobody")
    picture(panel, "sidebar-start-on", ".jp-Dialog-content")
    dialog.get_by_role("button", name="Start").click()
    expect(dialog.get_by_role("alert")).to_contain_text("http://127.0.0.1:9 does not answer", timeout=60_000)
    assert "a-token-of-nobody" not in panel.evaluate(STORED) + lab.log.read_text()
    engine.select_option(label="processes of this machine")
    dialog.get_by_role("button", name="Start").click()
    expect(dialog).to_have_count(0, timeout=60_000)
    expect(section.get_by_role("region", name="Embedded cloud")).to_contain_text("processes", timeout=30_000)
    assert watched.errors == []
