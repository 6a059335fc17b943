"""For everybody: by keyboard, for screen readers, in any theme, language and direction."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from playwright.sync_api import expect

from bento_jupyter.service_spec import STRATEGIES

from .labtools import execute, execute_soon, row

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
LOOK = """selector => axe.run(selector, { resultTypes: ['violations'] }).then(found =>
    found.violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`)))"""

TABS = ("Overview", "Playground", "Instances", "Charts", "Events", "Revisions", "Configuration")
#: Stands before each string that went through JupyterLab's translator.
MARK = "\u00a7"
TRANSLATION = """async wanted => {
    const id = '@jupyterlab/translation-extension:plugin';
    const { settings } = window.jupyterapp.serviceManager;
    const before = (await settings.fetch(id)).raw;
    await settings.save(id, typeof wanted === 'string' ? wanted : JSON.stringify(wanted));
    return before;
}"""
#: Texts in a part of the page that a reader of another language does not understand. Not what is data: names,
#: tags, addresses, code, numbers with units, and what the cloud says in its own words (`lang`).
UNTRANSLATED = """([part, mark, names]) => {
    const found = new Set();
    const data = 'pre, code, textarea, [role=log], body [lang], .jp-BentoRow-name, .jp-BentoItem-name';
    const isData = words =>
        names.some(name => words.startsWith(name)) || /^(https?:|\\/|[\\w.-]+:[\\w.-]+$)/.test(words);
    const add = text => {
        const words = (text ?? '').trim();
        if (/[A-Za-z]{3}/.test(words) && !words.includes(mark) && !isData(words)) {
            found.add(words);
        }
    };
    for (const element of document.querySelectorAll(`${part} *`)) {
        if (element.closest(data) === null && element.closest('svg, style') === null) {
            for (const node of element.childNodes) {
                if (node.nodeType === Node.TEXT_NODE) {
                    add(node.data);
                }
            }
        }
        for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-description']) {
            add(element.getAttribute(name));
        }
    }
    return [...found];
}"""


@pytest.fixture(scope="module")
def several(cloud):
    """Deployments enough for the filter to be there."""
    names = [f"some-{number}" for number in range(4)]
    cloud.create_many(names)
    yield names
    cloud.delete_many(names)


@pytest.fixture
def elsewhere(cloud):
    """Name of another cloud, which does not answer."""
    file = cloud.folder / "bentoml" / ".yatai.yaml"
    context = {"name": "elsewhere", "endpoint": "http://127.0.0.1:9", "api_token": "of-nobody"}
    file.write_text(yaml.safe_dump({"contexts": [context], "current_context_name": "none"}))
    yield "elsewhere"
    file.unlink()


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


def open_marked(panel):
    """`open_sections` where each string has its mark."""
    titles = panel.locator("#bento-jupyter-panel .jp-AccordionPanel-title")
    for title in titles.all():
        if title.get_attribute("aria-expanded") == "false":
            title.click()
    panel.locator("#bento-jupyter-panel").get_by_role("search").get_by_role("button").click()


def open_sections(panel):
    """Open all sections of the sidebar, and what is folded in them."""
    for title in ("Bentos and Models", "Clouds"):
        section = panel.locator(".jp-AccordionPanel-title", has_text=title)
        if section.get_attribute("aria-expanded") == "false":
            section.click()
    expect(panel.get_by_role("region", name="Embedded cloud")).to_be_visible()
    panel.get_by_role("button", name="Filter, group and sort").click()
    expect(panel.get_by_label("Group by")).to_be_visible()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_nothing_serious_is_in_the_way_of_assistive_technology(
    panel, several, elsewhere, violations, theme, picture
):
    execute(panel, "apputils:change-theme", {"theme": theme})
    expect(panel.locator("body")).to_have_attribute("data-jp-theme-name", theme)
    try:
        row(panel, "hello").dblclick()
        for name in TABS:
            panel.get_by_role("tab", name=name).click()
            expect(panel.get_by_role("tabpanel", name=name)).to_be_visible()
            assert violations(".jp-BentoDetails") == [], name
        if "High" not in theme:
            panel.get_by_role("tab", name="Overview").click()
            picture(panel, "sidebar-dark" if "Dark" in theme else "sidebar-light", "#main")
        open_sections(panel)
        expect(panel.get_by_role("button", name=f"Log out of {elsewhere}")).to_be_visible()
        assert violations("#bento-jupyter-panel") == []
        for command in ("log-in", "log-out"):
            execute_soon(panel, f"bento-jupyter:{command}", {"name": elsewhere})
            expect(panel.get_by_role("dialog")).to_be_visible()
            assert violations(".jp-Dialog") == [], command
            expect(panel.locator(".jp-Dialog :focus")).to_have_count(1)
            panel.keyboard.press("Escape")
            expect(panel.get_by_role("dialog")).to_have_count(0)
        panel.get_by_role("button", name="Deploy a Bento of the cloud").first.click()
        dialog = panel.get_by_role("dialog")
        expect(dialog.get_by_label("The same as a line of a notebook")).to_be_visible()
        assert violations(".jp-Dialog") == []
        panel.keyboard.press("Escape")
    finally:
        execute(panel, "apputils:change-theme", {"theme": "JupyterLab Light"})


def test_with_colours_that_the_system_forces_one_sees_where_one_is(panel, several):
    row(panel, several[0]).click()
    panel.emulate_media(forced_colors="active")
    try:
        open_sections(panel)
        tree = panel.get_by_role("tree", name="Deployments")
        tree.focus()
        panel.keyboard.press("ArrowDown")
        line = "row => getComputedStyle(row).outlineStyle"
        assert row(panel, several[1]).evaluate(line) != "none"
        assert row(panel, several[0]).evaluate(line) == "none"
        # A status is told by a shape, which has to be seen on any ground.
        shape = "row => getComputedStyle(row.querySelector('svg path, svg circle')).fill"
        ground = "row => getComputedStyle(row).backgroundColor"
        for name in several[:2]:
            assert row(panel, name).evaluate(shape) != row(panel, name).evaluate(ground)
    finally:
        panel.emulate_media(forced_colors="none")


def test_the_main_tasks_are_done_by_keyboard_alone(panel, cloud, several):
    cloud.wait("hello", "running")
    expect(row(panel, "hello")).to_have_attribute("data-status", "running")
    press = panel.keyboard.press

    def tab_to(wanted, key="Tab", times=12):
        for _ in range(times):
            if wanted.evaluate("element => element === document.activeElement"):
                break
            press(key)
        expect(wanted).to_be_focused()

    tree = panel.get_by_role("tree", name="Deployments")
    tree.focus()
    # Find it among the others.
    tab_to(panel.get_by_role("searchbox", name="Filter deployments"), "Shift+Tab")
    panel.keyboard.type("hel")
    expect(panel.get_by_role("treeitem")).to_have_count(1)
    tab_to(tree)
    press("Home")
    # What can be done with it.
    press("Shift+F10")
    menu = panel.get_by_role("menu").filter(has_text="Copy URL")
    expect(menu).to_be_visible()
    press("Escape")
    expect(menu).to_have_count(0)
    tree.focus()
    press("Enter")
    overview = panel.get_by_role("tab", name="Overview")
    expect(overview).to_be_visible()
    overview.focus()
    press("ArrowRight")
    expect(panel.get_by_role("tab", name="Playground")).to_be_focused()
    area = panel.get_by_role("textbox", name="JSON that is sent")
    expect(area).to_be_visible()
    tab_to(area)
    press("Control+Enter")
    expect(panel.get_by_role("status", name="Answer")).to_contain_text("TEXT")
    tree.focus()
    press("Delete")
    dialog = panel.get_by_role("dialog")
    expect(dialog).to_contain_text("Terminate hello?")
    press("Escape")
    expect(dialog).to_have_count(0)
    # Deploy another one.
    panel.locator("#bento-jupyter-panel").get_by_role("button", name="Deploy a Bento of the cloud").focus()
    press("Enter")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    press("Control+A")
    panel.keyboard.type("typed")
    expect(dialog.get_by_label("The same as a line of a notebook")).to_contain_text("--name typed")
    tab_to(dialog.get_by_role("button", name="Deploy", exact=True), times=40)
    press("Escape")
    expect(dialog).to_have_count(0)


def test_everything_that_is_said_can_be_translated(panel, lab, cloud, several, watched):
    cloud.wait("hello", "running")
    before = panel.evaluate(TRANSLATION, {"displayStringsPrefix": True, "stringsPrefix": MARK})
    try:
        watched.open(lab.page("lab?reset"))
        panel.locator(".jp-Launcher").wait_for()
        execute(panel, "bento-jupyter:show-panel")
        expect(row(panel, "hello")).to_have_attribute("data-status", "running")
        untranslated = {}

        # Names that people, machines and BentoCloud's wire have given.
        view = cloud.view("hello")
        endpoints = [endpoint.name for endpoint in view.endpoints]
        names = ["hello", *several, *endpoints, view.creator, "cpu.", "gpu.", "processes", *STRATEGIES]

        def look(part, place):
            found = panel.evaluate(UNTRANSLATED, [part, MARK, names])
            if found:
                untranslated[place] = found

        open_marked(panel)
        look("#bento-jupyter-panel", "panel")
        execute(panel, "bento-jupyter:open-details", {"name": "hello"})
        tabs = panel.locator(".jp-BentoDetails").get_by_role("tab")
        expect(tabs).to_have_count(len(TABS) + 1)
        for tab in tabs.all():
            tab.click()
            shown = panel.locator(".jp-BentoDetails").get_by_role("tabpanel")
            expect(shown).to_be_visible()
            expect(shown.locator("*").first).to_be_visible()
            look(".jp-BentoDetails", tab.inner_text())
        execute_soon(panel, "bento-jupyter:deploy")
        expect(panel.get_by_role("dialog").locator("pre").first).to_be_visible()
        look(".jp-Dialog", "dialog")
        assert untranslated == {}, str(untranslated)
    finally:
        panel.evaluate(TRANSLATION, before)


def test_from_right_to_left_it_still_fits(panel, cloud):
    expect(row(panel, "hello")).to_be_visible()
    panel.evaluate("() => { document.documentElement.dir = 'rtl'; }")
    tree = panel.get_by_role("tree", name="Deployments")
    assert tree.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
    name = row(panel, "hello").get_by_text("hello", exact=True).first.bounding_box()
    box = row(panel, "hello").bounding_box()
    assert name["x"] + name["width"] / 2 > box["x"] + box["width"] / 2, "the name begins at the right"
