"""The sidebar as a user meets it."""

from __future__ import annotations

import re
import subprocess
import time

import httpx
from playwright.sync_api import expect

from .labtools import execute

RECORDER = """() => {
    window.recorded = [];
    const look = () => {
        for (const row of document.querySelectorAll('.jp-BentoRow')) {
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


def row(page, name):
    return page.locator(f".jp-BentoRow[data-deployment='{name}']")


def toggle(page, name):
    return row(page, name).locator(".jp-BentoRow-toggle")


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
    shown = toggle(panel, "hello")
    for words in ("hello", "Running", "Online Service", "1/1 ready", "echo:v1"):
        expect(shown).to_contain_text(words)
    expect(panel.get_by_role("status")).to_have_text(re.compile("Cloud is running"))
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
        expect(toggle(panel, "fresh")).to_contain_text("On-Demand Function")
        # A request wakes it, and the sidebar tells.
        answer = httpx.post(
            f"{cloud.view('fresh').url}/echo", json={"text": "hi"}, timeout=60, trust_env=False
        )
        assert answer.text == "HI"
        has_status(panel, "fresh", "running")
    finally:
        delete(cloud, "fresh")
    row(panel, "fresh").wait_for(state="detached")


def test_a_row_opens_by_keyboard_to_health_url_instances_and_live_log(panel, cloud, picture):
    cloud.wait("hello", "running")
    shown = toggle(panel, "hello")
    expect(shown).to_have_attribute("aria-expanded", "false")
    shown.focus()
    panel.keyboard.press("Enter")
    expect(shown).to_have_attribute("aria-expanded", "true")
    detail = row(panel, "hello").get_by_role("region")
    view = cloud.view("hello")
    expect(detail.get_by_role("link")).to_have_attribute("href", view.url)
    expect(detail).to_contain_text("Answers requests")
    expect(detail.locator(".jp-BentoInstances")).to_contain_text("Ready")
    expect(detail.locator(".jp-BentoInstances")).to_contain_text("MB")
    expect(detail.locator(".jp-BentoColdStart-phases")).to_contain_text("imports")
    log = detail.locator(".jp-BentoLog")
    expect(log).to_contain_text("Service Echo initialized")
    httpx.post(f"{view.url}/echo", json={"text": "a marked line"}, trust_env=False).raise_for_status()
    expect(log).to_contain_text("echo was asked for a marked line")
    expect(detail.locator(".jp-BentoSnippet pre")).to_contain_text(f"{view.url}/echo")
    copy = detail.get_by_role("button", name="Copy URL of hello")
    copy.click()
    expect(detail.get_by_role("button", name="Copied")).to_be_visible()
    picture(panel, "sidebar")
    panel.keyboard.press("Escape")
    shown.press("Space")
    expect(detail).to_have_count(0)


def test_the_snippet_of_a_protected_deployment_works_and_holds_no_token(panel, cloud):
    cloud.create("guarded", "--access-authorization", "true")
    try:
        has_status(panel, "guarded", "running")
        toggle(panel, "guarded").click()
        snippet = row(panel, "guarded").locator(".jp-BentoSnippet pre")
        expect(snippet).to_contain_text('-H "Authorization: Bearer $BENTO_TOKEN"')
        token = cloud.state.token
        assert token not in panel.content()
        done = subprocess.run(
            ["/bin/sh", "-c", snippet.inner_text()],
            env={**cloud.environment, "BENTO_TOKEN": token, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert " 200 " in done.stdout.splitlines()[0]
    finally:
        delete(cloud, "guarded")


def test_terminate_asks_first_and_start_brings_it_back(panel, cloud):
    cloud.wait("hello", "running")
    toggle(panel, "hello").click()
    button = row(panel, "hello").get_by_role("button", name="Terminate…")
    dialog = panel.get_by_role("dialog")
    button.click()
    expect(dialog).to_contain_text("Terminate hello?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert cloud.view("hello").status == "running"

    button.click()
    dialog.get_by_role("button", name="Terminate").click()
    has_status(panel, "hello", "terminated")
    assert cloud.view("hello").instances == []
    row(panel, "hello").get_by_role("button", name="Start", exact=True).click()
    has_status(panel, "hello", "running")
    cloud.wait("hello", "running")


def test_a_stopped_cloud_is_explained_and_started_by_a_button(panel, cloud, watched):
    has_status(panel, "hello", "running")
    panel.evaluate("() => { window.sameWindow = true; }")
    panel.locator("[data-command='bento-jupyter:stop-cloud']").click()
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
    toggle(panel, "hello").click()
    expect(row(panel, "hello").locator(".jp-BentoLog")).to_be_visible()
    cloud.kill()
    expect(panel.get_by_role("heading", name="The cloud is not running")).to_be_visible()
    began, asked = time.monotonic(), len(watched.requests)
    cloud.start()
    has_status(panel, "hello", "running")
    per_second = (len(watched.requests) - asked) / max(time.monotonic() - began, 1)
    assert per_second < 12, watched.requests[asked:]
    # A look at an open row may have been under way in the moment of the crash.
    assert len(watched.errors) <= 1, watched.errors


def test_a_hidden_panel_asks_nothing(panel, cloud, watched):
    has_status(panel, "hello", "running")
    execute(panel, "application:toggle-left-area")
    panel.locator("#bento-jupyter-panel").wait_for(state="hidden")
    panel.wait_for_load_state("networkidle")
    asked = len(watched.requests)
    cloud.create("unseen", "--scaling-min", "0")
    cloud.wait("unseen", "scaled-to-zero")
    assert watched.requests[asked:] == []
    execute(panel, "bento-jupyter:show-panel")
    row(panel, "unseen").wait_for()
    delete(cloud, "unseen")


def test_commands_are_in_the_palette_and_settings_in_the_editor(panel):
    execute(panel, "settingeditor:open", {"query": "Bento"})
    form = panel.locator(".jp-SettingsForm")
    for setting in ("Refresh interval", "Log lines"):
        expect(form.get_by_role("heading", name=setting)).to_be_visible()
    execute(panel, "apputils:activate-command-palette")
    panel.locator(".lm-CommandPalette-input").fill("Bento")
    labels = panel.locator(".lm-CommandPalette-itemLabel")
    for label in ("Show Bento Deployments", "Refresh Deployments", "Stop Cloud…", "Terminate Deployment…"):
        expect(labels.filter(has_text=label)).to_be_visible()
    expect(labels.filter(has_text="Start Cloud"), "one that runs cannot be started").to_be_hidden()
    panel.keyboard.press("Escape")


def test_the_panel_is_restored_with_the_workspace(panel, lab, watched):
    row(panel, "hello").wait_for()
    # The workspace is saved shortly after a change; the next page load shows it.
    with panel.expect_response(is_save_of_workspace):
        execute(panel, "bento-jupyter:show-panel")
    watched.open(lab.page("lab"))
    expect(row(panel, "hello")).to_be_visible()
