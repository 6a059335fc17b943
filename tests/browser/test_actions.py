"""Every entry of a deployment's context menu, done as a user does it."""

from __future__ import annotations

import re
import shutil

import nbformat
import pytest
from playwright.sync_api import expect
from realcloud import eventually

from .labtools import choose, open_notebook, row
from .test_panel import has_status

BREAKS = """
import bentoml

@bentoml.service
class Unlucky:
    def __init__(self):
        print("drawing a straw", flush=True)
        raise RuntimeError("no luck today")

    @bentoml.api
    def echo(self, text: str) -> str:
        return text
"""


@pytest.fixture
def acted_on(cloud):
    """A deployment that may be changed, and deleted."""
    cloud.start()
    cloud.create("acted", "--scaling-max", "2")
    cloud.wait("acted", "running")
    yield "acted"
    if any(view.name == "acted" for view in cloud.views()):
        cloud.bentoml("deployment", "terminate", "acted", "--wait")
        cloud.bentoml("deployment", "delete", "acted")


@pytest.fixture
def breaks(cloud):
    """Tag of a Bento whose instances do not start."""
    cloud.start()
    project = cloud.folder / "breaks"
    project.mkdir()
    (project / "service.py").write_text(BREAKS)
    cloud.bentoml("build", "--name", "breaks", "--version", "v1", str(project))
    cloud.bentoml("push", "breaks:v1")
    yield "breaks:v1"
    for name in ("well", "ill"):
        cloud.bentoml("deployment", "terminate", name, "--wait")
        cloud.bentoml("deployment", "delete", name)
    with cloud.api as api:
        api.delete("/api/bj/v1/bentos/breaks/v1").raise_for_status()
    shutil.rmtree(cloud.folder / "bentoml" / "bentos" / "breaks")


def test_what_ends_well_or_badly_is_told_with_the_way_to_its_log(breaks, panel, cloud, watched):
    toasts = panel.locator(".Toastify__toast")
    cloud.create("well")
    well = toasts.filter(has_text="well is deployed")
    expect(well).to_be_visible(timeout=60_000)
    cloud.bentoml("deployment", "create", breaks, "-n", "ill", "--no-wait")
    ill = toasts.filter(has_text="ill failed: ")
    expect(ill).to_contain_text("RuntimeError: no luck today", timeout=60_000)
    ill.get_by_role("button", name="Logs").click()
    log = panel.get_by_role("log")
    expect(log).to_contain_text("drawing a straw", timeout=30_000)
    with panel.expect_download() as download:
        panel.get_by_role("button", name="Download the log").click()
    assert download.value.suggested_filename == "ill.log"
    assert "drawing a straw" in download.value.path().read_text()
    assert watched.errors == []


def test_each_action_of_the_context_menu_does_what_it_says(acted_on, panel, lab, cloud, watched):
    name, page = acted_on, panel
    dialog = page.get_by_role("dialog")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    def copied(label, said):
        choose(page, name, label)
        expect(page.locator(".Toastify__toast", has_text=said)).to_be_visible()
        return page.evaluate("() => navigator.clipboard.readText()")

    has_status(page, name, "running")
    url = cloud.view(name).url
    assert copied("Copy URL", "URL of acted copied") == url
    assert f"curl -i '{url}/echo'" in copied("Copy curl Command", "Command that calls acted copied")
    program = copied("Copy Python Program", "Program that calls acted copied")
    compile(program, "copied", "exec")
    assert url in program

    with page.context.expect_page() as opened:
        choose(page, name, "Open Swagger Page")
    expect(opened.value.get_by_text("/echo").first).to_be_visible(timeout=30_000)
    opened.value.close()

    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("1 + 1")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, lab.root / "calls.ipynb")
    open_notebook(page, "calls.ipynb")
    choose(page, name, "Insert Call into Notebook")
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    expect(cells).to_have_count(2)
    expect(cells.nth(1)).to_contain_text("acted")
    expect(cells.nth(1)).to_contain_text("bento_call")
    # The notebook's toolbar has the dialog, too, which tells whose the deployment is.
    page.locator(".jp-NotebookPanel-toolbar").get_by_role(
        "button", name="Deploy a Bento of the cloud"
    ).click()
    expect(dialog).to_contain_text("Deploy a Bento")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    choose(page, name, "Scale…")
    dialog.get_by_label("Most instances").fill("3")
    dialog.get_by_role("button", name="Scale").click()
    choose(page, name, "Open Details")
    page.get_by_role("tab", name="Configuration").click()
    configuration = page.get_by_role("tabpanel", name="Configuration")
    expect(configuration).to_contain_text(re.compile("Most instances3"))
    configuration.get_by_role("button", name="Change…").click()
    expect(dialog).to_contain_text("Update acted")
    dialog.get_by_label("Most instances").fill("4")
    dialog.get_by_role("button", name="Update", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(configuration).to_contain_text(re.compile("Most instances4"))

    choose(page, name, "Update…")
    dialog.get_by_label("Protected").check()
    dialog.get_by_role("button", name="Update", exact=True).click()
    expect(dialog).to_have_count(0, timeout=30_000)
    assert cloud.view(name).protected
    choose(page, name, "Switch Mode…")
    expect(dialog).to_contain_text("On-Demand Function")
    dialog.get_by_role("button", name="Switch").click()
    expect(row(page, name)).to_contain_text("on demand", timeout=30_000)
    choose(page, name, "Roll Back…")
    dialog.get_by_role("combobox").select_option("1 · echo:v1")
    dialog.get_by_role("button", name="OK").click()
    dialog.get_by_role("button", name="Roll Back").click()
    expect(row(page, name)).to_contain_text("online", timeout=30_000)
    assert (cloud.view(name).scaling.max, cloud.view(name).protected) == (2, False)

    has_status(page, name, "running")
    before = {instance.id for instance in cloud.view(name).instances}
    choose(page, name, "Restart")
    eventually(lambda: not before & {instance.id for instance in cloud.view(name).instances})
    choose(page, name, "Terminate…")
    dialog.get_by_role("button", name="Terminate").click()
    has_status(page, name, "terminated")
    choose(page, name, "Start")
    has_status(page, name, "running")
    choose(page, name, "Delete…")
    dialog.get_by_role("button", name="Delete").click()
    expect(row(page, name)).to_have_count(0, timeout=30_000)
    assert all(view.name != name for view in cloud.views())
    expect(page.get_by_text("There is no deployment acted any more.")).to_be_visible()
    # A look at its details may have been under way when it was deleted: two requests, and no more.
    assert len(watched.errors) <= 2, watched.errors
