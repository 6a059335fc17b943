"""The sidebar as a user meets it."""

from __future__ import annotations

import re
import time

import httpx
from playwright.sync_api import expect

from .labtools import choose, execute, execute_soon, row

RECORDER = """() => {
    window.recorded = [];
    const look = () => {
        for (const row of document.querySelectorAll('[role=treeitem][data-deployment]')) {
            const { deployment, status } = row.dataset;
            const last = window.recorded.filter(entry => entry.deployment === deployment).pop();
            if (last === undefined || last.status !== status) {
                window.recorded.push({ deployment, status, at: Date.now() / 1000 });
            }
        }
    };
    new MutationObserver(look).observe(
        document.querySelector('#bento-jupyter-panel'),
        { attributes: true, childList: true, subtree: true }
    );
    look();
}"""


def has_status(page, name, status):
    expect(row(page, name)).to_have_attribute("data-status", status, timeout=30_000)


def is_save_of_workspace(response):
    return "/api/workspaces/" in response.url and response.request.method == "PUT"


def delete(cloud, name):
    cloud.bentoml("deployment", "terminate", name, "--wait")
    cloud.bentoml("deployment", "delete", name)


def test_a_deployment_is_shown_with_status_mode_and_bento(panel, cloud, watched):
    cloud.wait("hello", "running")
    has_status(panel, "hello", "running")
    for words in ("hello", "Running", "online", "1/1"):
        expect(row(panel, "hello")).to_contain_text(words)
    expect(panel.get_by_role("treeitem", name="hello, Running, 1/1 ready")).to_be_visible()
    expect(panel.locator("#bento-jupyter-panel").get_by_role("status")).to_have_text(
        re.compile("Cloud is running")
    )
    assert watched.errors == []


def test_a_deployment_made_elsewhere_appears_within_a_second_and_shows_its_way(panel, cloud):
    has_status(panel, "hello", "running")
    panel.evaluate(RECORDER)
    try:
        cloud.create("fresh", "--scaling-min", "0")
        row(panel, "fresh").wait_for()
        created = cloud.view("fresh").created_at.timestamp()
        appeared = panel.evaluate("() => window.recorded.find(entry => entry.deployment === 'fresh').at")
        assert appeared - created < 1.0
        has_status(panel, "fresh", "scaled-to-zero")
        expect(row(panel, "fresh")).to_contain_text("on demand")
        # A request wakes it, and the sidebar tells.
        answer = httpx.post(
            f"{cloud.view('fresh').url}/echo", json={"text": "hi"}, timeout=60, trust_env=False
        )
        assert answer.text == "HI"
        has_status(panel, "fresh", "running")
    finally:
        delete(cloud, "fresh")
    row(panel, "fresh").wait_for(state="detached")


def test_terminate_asks_first_and_start_brings_it_back(panel, cloud):
    cloud.wait("hello", "running")
    dialog = panel.get_by_role("dialog")
    choose(panel, "hello", "Terminate…")
    expect(dialog).to_contain_text("Terminate hello?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert cloud.view("hello").status == "running"

    choose(panel, "hello", "Terminate…")
    dialog.get_by_role("button", name="Terminate").click()
    has_status(panel, "hello", "terminated")
    assert cloud.view("hello").instances == []
    choose(panel, "hello", "Start")
    has_status(panel, "hello", "running")
    cloud.wait("hello", "running")


def test_it_is_filtered_grouped_and_walked_by_keyboard(panel, cloud):
    names = ["alpha", "beta", "gamma"]
    cloud.create_many(names)
    try:
        for name in names:
            has_status(panel, name, "scaled-to-zero")
        panel.get_by_role("searchbox", name="Filter deployments").fill("a zero")
        expect(panel.get_by_role("treeitem")).to_have_count(3)
        panel.get_by_role("searchbox", name="Filter deployments").fill("")
        panel.get_by_role("button", name="Filter, group and sort").click()
        panel.get_by_label("Group by").select_option("mode")
        tree = panel.get_by_role("tree", name="Deployments")
        tree.focus()
        panel.keyboard.press("Home")
        group = panel.get_by_role("treeitem", name="On-Demand Function, 3 deployments")
        expect(group).to_have_attribute("aria-selected", "true")
        panel.keyboard.press("ArrowLeft")
        expect(group).to_have_attribute("aria-expanded", "false")
        expect(panel.get_by_role("treeitem")).to_have_count(3)
        panel.keyboard.press("ArrowRight")
        panel.keyboard.press("ArrowDown")
        expect(row(panel, "alpha")).to_have_attribute("aria-selected", "true")
        panel.keyboard.press("Enter")
        expect(panel.get_by_role("tab", name="Overview")).to_be_visible()
        expect(panel.get_by_role("tablist", name="Details of alpha")).to_be_visible()
    finally:
        cloud.delete_many(names)


def test_of_a_long_list_only_what_is_seen_is_drawn(panel, cloud):
    has_status(panel, "hello", "running")
    names = [f"many-{number:02}" for number in range(60)]
    cloud.create_many(names)
    try:
        tree = panel.get_by_role("tree", name="Deployments")
        tree.focus()
        panel.keyboard.press("Home")
        expect(row(panel, "hello")).to_have_attribute("aria-setsize", "61")
        assert panel.get_by_role("treeitem").count() < 40
        panel.keyboard.press("End")
        expect(row(panel, names[-1])).to_be_in_viewport(ratio=1)
        expect(row(panel, "hello")).to_have_count(0)
        tree.hover()
        panel.mouse.wheel(0, -10_000)
        expect(row(panel, "hello")).to_be_in_viewport(ratio=1)
        # None of them is forgotten that cannot be seen.
        panel.get_by_role("searchbox", name="Filter deployments").fill("many")
        expect(row(panel, names[0])).to_have_attribute("aria-setsize", "60")
    finally:
        cloud.delete_many(names)
    row(panel, names[0]).wait_for(state="detached")


def test_a_stopped_cloud_is_explained_and_started_by_a_button(panel, cloud, watched):
    has_status(panel, "hello", "running")
    panel.evaluate("() => { window.sameWindow = true; }")
    execute_soon(panel, "bento-jupyter:stop-cloud")
    dialog = panel.get_by_role("dialog")
    expect(dialog).to_contain_text("1 deployment stops answering")
    dialog.get_by_role("button", name="Stop Cloud").click()
    expect(panel.get_by_role("heading", name="The cloud is not running")).to_be_visible(timeout=30_000)
    assert cloud.home.read_state() is None
    panel.get_by_role("button", name="Start the cloud").click()
    has_status(panel, "hello", "running")
    assert cloud.state.pid
    assert panel.evaluate("() => window.sameWindow"), "without a reload"
    assert watched.errors == []


def test_a_crash_of_the_cloud_floods_neither_console_nor_server(panel, cloud, watched):
    has_status(panel, "hello", "running")
    execute(panel, "bento-jupyter:open-details", {"name": "hello", "tab": "logs"})
    expect(panel.get_by_role("log")).to_be_visible()
    cloud.kill()
    expect(panel.get_by_role("heading", name="The cloud is not running")).to_be_visible()
    began, asked = time.monotonic(), len(watched.requests)
    cloud.start()
    has_status(panel, "hello", "running")
    per_second = (len(watched.requests) - asked) / max(time.monotonic() - began, 1)
    assert per_second < 12, watched.requests[asked:]
    # A look at an open row may have been under way in the moment of the crash.
    assert len(watched.errors) <= 1, watched.errors


def test_commands_are_in_the_palette_and_settings_in_the_editor(panel):
    execute(panel, "settingeditor:open", {"query": "Bento"})
    form = panel.locator(".jp-SettingsForm")
    for setting in ("Refresh interval", "Density", "Notifications"):
        expect(form.get_by_role("heading", name=setting)).to_be_visible()
    execute(panel, "apputils:activate-command-palette")
    panel.locator(".lm-CommandPalette-input").fill("Bento")
    labels = panel.locator(".lm-CommandPalette-itemLabel")
    for label in (
        "Show Bento Deployments",
        "Refresh Deployments",
        "Stop Cloud…",
        "Terminate…",
        "Open Details",
    ):
        expect(labels.filter(has_text=label)).to_be_visible()
    offered = labels.filter(has_text="Start Cloud").locator("visible=true")
    expect(offered, "one that runs cannot be started").to_have_count(0)
    panel.keyboard.press("Escape")


def test_the_panel_is_restored_with_the_workspace(panel, lab, watched):
    row(panel, "hello").wait_for()
    # The workspace is saved shortly after a change; the next page load shows it.
    with panel.expect_response(is_save_of_workspace):
        execute(panel, "bento-jupyter:show-panel")
    watched.open(lab.page("lab"))
    expect(row(panel, "hello")).to_be_visible()
