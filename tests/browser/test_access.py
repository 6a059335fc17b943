"""For everybody: by keyboard, for screen readers, in any theme, language and direction."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from .labtools import execute, row

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
LOOK = """selector => axe.run(selector, { resultTypes: ['violations'] }).then(found =>
    found.violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`)))"""


@pytest.fixture
def violations(panel, cloud):
    """What axe-core finds in a part of the page: what is serious, and not JupyterLab's own."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (cd labextension; jlpm install)")
    cloud.wait("hello", "running")
    expect(row(panel, "hello")).to_have_attribute("data-status", "running")
    panel.add_script_tag(path=AXE)

    def look(selector):
        found = panel.evaluate(LOOK, selector)
        return [each for each in found if "jp-Bento" in each or "lm-" not in each]

    return look


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_nothing_serious_is_in_the_way_of_assistive_technology(panel, violations, theme, picture):
    execute(panel, "apputils:change-theme", {"theme": theme})
    expect(panel.locator("body")).to_have_attribute("data-jp-theme-name", theme)
    try:
        assert violations("#bento-jupyter-panel .jp-BentoTree") == []
        row(panel, "hello").dblclick()
        for name in ("Overview", "Playground", "Charts", "Events", "Revisions", "Configuration"):
            panel.get_by_role("tab", name=name).click()
            expect(panel.get_by_role("tabpanel", name=name)).to_be_visible()
            assert violations(".jp-BentoDetails") == [], name
        if "High" not in theme:
            panel.get_by_role("tab", name="Overview").click()
            picture(panel, "sidebar-dark" if "Dark" in theme else "sidebar-light", "#main")
        panel.get_by_role("button", name="Deploy a Bento of the cloud").first.click()
        dialog = panel.get_by_role("dialog")
        expect(dialog.get_by_label("The same as a line of a notebook")).to_be_visible()
        assert violations(".jp-BentoDeploy") == []
        panel.keyboard.press("Escape")
    finally:
        execute(panel, "apputils:change-theme", {"theme": "JupyterLab Light"})


def test_the_main_tasks_are_done_by_keyboard_alone(panel, cloud):
    cloud.wait("hello", "running")
    expect(row(panel, "hello")).to_have_attribute("data-status", "running")
    panel.get_by_role("tree", name="Deployments").focus()
    panel.keyboard.press("Home")
    panel.keyboard.press("Enter")
    overview = panel.get_by_role("tab", name="Overview")
    expect(overview).to_be_visible()
    overview.focus()
    panel.keyboard.press("ArrowRight")
    expect(panel.get_by_role("tab", name="Playground")).to_be_focused()
    area = panel.get_by_role("textbox", name="JSON that is sent")
    expect(area).to_be_visible()
    for _ in range(6):
        panel.keyboard.press("Tab")
        if area.evaluate("element => element === document.activeElement"):
            break
    expect(area).to_be_focused()
    panel.keyboard.press("Control+Enter")
    expect(panel.get_by_role("status", name="Answer")).to_contain_text("TEXT")
    panel.get_by_role("tree", name="Deployments").focus()
    panel.keyboard.press("Delete")
    dialog = panel.get_by_role("dialog")
    expect(dialog).to_contain_text("Terminate hello?")
    panel.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_from_right_to_left_it_still_fits(panel, cloud):
    expect(row(panel, "hello")).to_be_visible()
    panel.evaluate("() => { document.documentElement.dir = 'rtl'; }")
    tree = panel.get_by_role("tree", name="Deployments")
    assert tree.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
    name = row(panel, "hello").get_by_text("hello", exact=True).first.bounding_box()
    box = row(panel, "hello").bounding_box()
    assert name["x"] + name["width"] / 2 > box["x"] + box["width"] / 2, "the name begins at the right"
