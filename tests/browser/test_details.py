"""The details of a deployment in the main area."""

from __future__ import annotations

import subprocess

import httpx
import pytest
from playwright.sync_api import expect

from .labtools import execute, execute_soon, row


@pytest.fixture
def details(panel, cloud):
    """The details of `hello`."""
    cloud.wait("hello", "running")
    expect(row(panel, "hello")).to_have_attribute("data-status", "running")
    row(panel, "hello").dblclick()
    expect(panel.get_by_role("tablist", name="Details of hello")).to_be_visible()
    return panel


def tab(page, name):
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel", name=name)


def test_the_overview_has_url_mode_cold_start_and_a_command_that_works(details, cloud):
    shown = details.get_by_role("tabpanel", name="Overview")
    view = cloud.view("hello")
    expect(shown.get_by_role("link", name=view.url)).to_be_visible()
    for words in ("Running", "answers requests", "Online Service", "echo:v1", "imports"):
        expect(shown).to_contain_text(words)
    snippet = shown.get_by_label("Call it from a shell").inner_text()
    environment = {**cloud.environment, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["/bin/sh", "-c", snippet], env=environment, capture_output=True, text=True, check=True
    )
    assert " 200 " in done.stdout.splitlines()[0]
    shown.get_by_role("button", name="Copy URL of hello").click()
    expect(shown.get_by_role("button", name="Copied")).to_be_visible()
    assert cloud.state.token not in details.content()


def test_instances_events_and_configuration_have_tabs(details):
    expect(tab(details, "Instances")).to_contain_text("Ready")
    expect(tab(details, "Events").get_by_role("row")).not_to_have_count(0)
    expect(tab(details, "Configuration")).to_contain_text("%bento_deploy echo:v1 --name hello")
    expect(tab(details, "Charts").get_by_role("figure", name="Latency")).to_be_visible()


def test_the_log_is_followed_and_searched(details, cloud):
    shown = tab(details, "Logs")
    log = shown.get_by_role("log")
    expect(log).to_contain_text("Service Echo initialized")
    shown.get_by_role("searchbox", name="Search the log").fill("a marked line")
    expect(shown).to_contain_text("No line holds this.")
    url = cloud.view("hello").url
    httpx.post(f"{url}/echo", json={"text": "a marked line"}, trust_env=False).raise_for_status()
    expect(log).to_have_text("echo was asked for a marked line\n")


def test_it_is_scaled_and_rolled_back(details, cloud):
    dialog = details.get_by_role("dialog")
    execute_soon(details, "bento-jupyter:scale", {"name": "hello"})
    dialog.get_by_label("Most instances").fill("2")
    dialog.get_by_role("button", name="Scale").click()
    shown = tab(details, "Revisions")
    expect(shown).to_contain_text("max_replicas")
    assert cloud.view("hello").scaling.max == 2
    shown.get_by_role("button", name="Roll back to 1", exact=True).click()
    dialog.get_by_role("button", name="Roll Back").click()
    expect(shown).to_contain_text("Revision 3")
    assert cloud.view("hello").scaling.max == 1


def test_they_are_there_again_after_a_reload_at_the_same_tab(details, lab, watched):
    with details.expect_response(
        lambda answer: "/api/workspaces/" in answer.url and answer.request.method == "PUT"
    ):
        tab(details, "Events")
    watched.open(lab.page("lab"))
    expect(details.get_by_role("tab", name="Events")).to_have_attribute("aria-selected", "true")
    expect(details.get_by_role("tabpanel", name="Events").get_by_role("row")).not_to_have_count(0)


def test_the_swagger_page_is_reached_through_the_jupyter_server(details, lab, watched):
    page = watched.page
    with page.context.expect_page() as opened:
        execute(details, "bento-jupyter:open-pages", {"name": "hello"})
    swagger = opened.value
    expect(swagger.get_by_text("/echo").first).to_be_visible()
    assert swagger.url.startswith(lab.url)
    swagger.close()


def test_the_status_bar_and_the_running_sessions_tell_of_it(details):
    expect(details.get_by_role("button", name="1 of 1 deployments answer")).to_be_visible()
    execute(details, "running:show-panel")
    sessions = details.locator("#jp-running-sessions")
    expect(sessions.get_by_role("treeitem", name="hello").first).to_be_visible()


def test_the_playground_asks_with_the_example_and_shows_answer_and_time(details, watched, picture):
    shown = tab(details, "Playground")
    asked = shown.get_by_role("textbox", name="JSON that is sent")
    expect(asked).to_have_value('{\n  "text": "text"\n}')
    asked.fill('{"text": ')
    expect(shown.get_by_role("alert")).to_have_text("This is no JSON.")
    expect(shown.get_by_role("button", name="Ask")).to_be_disabled()
    asked.fill('{"text": "from the playground"}')
    shown.get_by_role("button", name="Ask").click()
    answer = shown.get_by_role("status", name="Answer")
    expect(answer).to_contain_text("FROM THE PLAYGROUND")
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text("ms in the instance")
    picture(details, "playground", ".jp-BentoPlayground")
    assert watched.errors == []
    asked.fill('{"text": 1}')
    asked.press("Control+Enter")
    expect(answer).to_contain_text("400")
