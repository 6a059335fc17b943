"""The pages that the client's links lead to: readable without scripts, changed by forms of their own only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.api.charts import Line, chart
from bento_jupyter.cloud.api.html import Html, table, tag

VOID = {"meta", "input", "br", "link"}


class Outline(HTMLParser):
    """The elements of a page, with a check that they are closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.seen.append(name)
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture
def browser(cloud) -> Iterator[httpx.Client]:
    """Who has entered the owner's token."""
    with httpx.Client(base_url=cloud.endpoint, trust_env=False) as client:
        client.post("/login", data={"token": cloud.token})
        yield client


@pytest.fixture
def deployed(cloud, pushed_greeter, deployment_name) -> str:
    body = {
        "name": deployment_name,
        "bento": pushed_greeter,
        "services": {"Greeter": {"scaling": {"min_replicas": 0}}},
        "envs": [{"name": "GREETING", "value": "hush-hush"}],
        "labels": [{"key": "team", "value": "<script>alert(1)</script>"}],
    }
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    cloud.wait_until(deployment_name, "scaled-to-zero")
    return deployment_name


def csrf_of(page: str) -> str:
    return re.search(r'name="csrf" value="([0-9a-f]+)"', page)[1]


def test_the_pages_show_what_there_is_without_scripts(browser, cloud, deployed, pushed_greeter):
    assert deployed in browser.get("/deployments").text
    page = browser.get(f"/deployments/{deployed}")
    assert "script" not in page.headers["content-security-policy"]
    outline = Outline(page.text)
    assert not {"script", "iframe", "img"} & set(outline.seen)
    assert {"main", "nav", "h1", "h2", "table", "caption", "svg", "form", "label"} <= set(outline.seen)
    text = " ".join(outline.texts)
    for shown in (
        "scaled-to-zero",
        "On-Demand Function",
        pushed_greeter,
        "GREETING",
        cloud.view(deployed)["url"],
    ):
        assert shown in text
    assert "<script>alert(1)</script>" in text, "as text"
    assert "hush-hush" not in page.text
    assert browser.get(f"/codespaces/{deployed}").status_code == 200
    assert browser.get(f"/deployments/{deployed}?step=60&q=nothing+like+it").status_code == 200
    assert browser.get("/deployments/nobody").status_code == 404
    Outline(browser.get("/docs").text)


def test_forms_change_a_deployment(browser, cloud, deployed, pushed_greeter):
    cloud.http.put(f"/api/v2/deployments/{deployed}", json={"bento": pushed_greeter}).raise_for_status()
    here = f"/deployments/{deployed}"
    form = {"csrf": csrf_of(browser.get(here).text)}
    answer = browser.post(f"{here}/rollback", data={**form, "revision": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    assert cloud.view(deployed)["revision"] == 3
    assert browser.post(f"{here}/rollback", data={**form, "revision": "3"}).status_code == 409
    assert browser.post(f"{here}/rollback", data={**form, "revision": "x"}).status_code == 409
    assert browser.post(f"{here}/restart", data=form).status_code == 303
    assert browser.post(f"{here}/terminate", data=form).status_code == 303
    cloud.wait_until(deployed, "terminated")
    assert browser.post(f"{here}/start", data=form).status_code == 303
    cloud.wait_until(deployed, "scaled-to-zero")
    assert browser.post(f"{here}/explode", data=form).status_code == 404


def test_a_form_of_another_site_changes_nothing(browser, cloud, deployed):
    here = f"/deployments/{deployed}"
    for forged in ({}, {"csrf": "0" * 64}, {"csrf": "é"}):
        assert browser.post(f"{here}/terminate", data=forged).status_code == 403
    stranger = httpx.post(
        f"{cloud.endpoint}{here}/terminate", data={"csrf": csrf_of(browser.get(here).text)}, trust_env=False
    )
    assert stranger.headers["location"].startswith("/login")
    assert cloud.view(deployed)["status"] == "scaled-to-zero"


def test_a_login_is_allowed_by_the_page_that_asks_only(browser, cloud):
    code = cloud.http.get("/api/v1/auth/code").json()["code"]
    allow = f"/api_tokens?code={code}"
    tokens = cloud.http.get("/api/v1/api_tokens").json()["total"]
    form = {"csrf": csrf_of(browser.get(allow).text)}
    for forged in ({}, {"csrf": "0" * 64}):
        assert browser.post(allow, data=forged).status_code == 403
    elsewhere = {"origin": "http://127.0.0.1:1"}
    assert browser.post(allow, data=form, headers=elsewhere).status_code == 403
    assert browser.post("/login", data={"token": cloud.token}, headers=elsewhere).status_code == 403
    assert cloud.http.get("/api/v1/api_tokens").json()["total"] == tokens
    assert browser.post(allow, data=form, headers={"origin": cloud.endpoint}).status_code == 200
    assert cloud.http.get("/api/v1/api_tokens").json()["total"] == tokens + 1


@given(st.text(), st.text())
def test_text_stays_text(value, attribute):
    written = tag("p", value, title=attribute)
    outline = Outline(written)
    assert outline.seen == ["p"]
    assert "".join(outline.texts).replace("\r\n", "\n").replace("\r", "\n") == value.replace(
        "\r\n", "\n"
    ).replace("\r", "\n")


def test_markup_is_not_escaped_again():
    assert tag("b", tag("i", "<")) == "<b><i>&lt;</i></b>"
    assert isinstance(table("Nothing", ["a"], []), Html)


@given(st.lists(st.none() | st.floats(min_value=0, max_value=1e12), max_size=50))
def test_charts_hold_any_values(values):
    Outline(chart("Latency", [Line("p50", values), Line("p99", [])], "s", "15 min"))
