"""What the sidebar gets while the cloud runs."""

from __future__ import annotations

import asyncio
import json
import time
from http.cookies import SimpleCookie

import pytest
from realcloud import RealCloud
from tornado.httpclient import HTTPClientError

ROUTES = [
    ("GET", "overview"),
    ("GET", "deployments/hello"),
    ("GET", "deployments/hello/logs"),
    ("GET", "deployments/hello/instances"),
    ("GET", "deployments/hello/metrics"),
    ("GET", "deployments/hello/events"),
    ("GET", "deployments/hello/revisions"),
    ("GET", "deployments/hello/configuration"),
    ("GET", "deployments/hello/logs/stream"),
    ("GET", "deployments/hello/pages/"),
    ("GET", "pages/a-guess/hello/"),
    ("POST", "pages/a-guess/hello/echo"),
    ("GET", "traffic?names=hello"),
    ("GET", "changes?names=hello"),
    ("GET", "deployments/hello/interface"),
    ("GET", "form"),
    ("POST", "plan"),
    ("POST", "deploy"),
    ("GET", "contexts"),
    ("GET", "contexts/states"),
    ("POST", "contexts/current"),
    ("POST", "login"),
    ("POST", "cloud/start-on"),
    ("GET", "jobs/0123456789abcdef"),
    ("POST", "bentos/echo/v1/push"),
    ("POST", "bentos/echo/v1/export"),
    ("GET", "bentos"),
    ("GET", "models"),
    ("GET", "images"),
    ("GET", "images/0123456789abcdef01234567/log"),
    ("GET", "garbage"),
    ("GET", "instance_types"),
    ("GET", "secrets"),
    ("PATCH", "deployments/hello"),
    ("DELETE", "deployments/hello"),
    ("POST", "deployments/hello/terminate"),
    ("POST", "deployments/hello/start"),
    ("POST", "deployments/hello/restart"),
    ("POST", "deployments/hello/rollback"),
    ("DELETE", "bentos/echo/v1"),
    ("DELETE", "garbage"),
    ("POST", "cloud/start"),
    ("POST", "cloud/stop"),
]


@pytest.fixture
def cloud(shared: RealCloud) -> RealCloud:
    return shared


async def get(jp_fetch, *parts, **query):
    response = await jp_fetch("bento-jupyter", *parts, params=query)
    return json.loads(response.body)


async def refused(call):
    with pytest.raises(HTTPClientError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_stranger_is_refused(http_server_client, jp_base_url, method, path):
    call = http_server_client.fetch(
        f"{jp_base_url}bento-jupyter/{path}",
        method=method,
        body="" if method in ("POST", "PATCH") else None,
        follow_redirects=False,
    )
    assert (await refused(call)).code == 403


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] != "GET"])
async def test_another_sites_page_cannot_act_with_a_users_cookie(
    http_server_client, jp_base_url, jp_serverapp, method, path
):
    login = await http_server_client.fetch(
        f"{jp_base_url}api/status?token={jp_serverapp.identity_provider.token}"
    )
    jar = SimpleCookie()
    for header in login.headers.get_list("Set-Cookie"):
        jar.load(header)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())
    headers = {"Cookie": cookies}
    seen = await http_server_client.fetch(f"{jp_base_url}bento-jupyter/overview", headers=headers)
    assert seen.code == 200, "the cookie is a login"
    call = http_server_client.fetch(
        f"{jp_base_url}bento-jupyter/{path}",
        method=method,
        body=None if method == "DELETE" else "",
        headers={**headers, "Origin": "https://elsewhere.example"},
    )
    error = await refused(call)
    assert error.code in (403, 404)


async def test_the_overview_shows_cloud_and_deployments(jp_fetch, cloud):
    shown = await get(jp_fetch, "overview")
    assert (shown["state"], shown["message"]) == ("running", "")
    assert shown["cloud"]["endpoint"] == cloud.state.endpoint
    (hello,) = shown["deployments"]
    assert (hello["name"], hello["status"], hello["ready"]) == ("hello", "running", 1)
    assert hello["url"].startswith("http://127.0.0.1:")
    assert shown["event_id"] >= hello["event_id"] > 0


async def test_no_answer_holds_a_token(jp_fetch, cloud):
    token = cloud.state.token.encode()
    for parts in (
        ("overview",),
        ("contexts",),
        *(("deployments", "hello", *what) for what in ((), ("logs",), ("configuration",), ("revisions",))),
    ):
        response = await jp_fetch("bento-jupyter", *parts)
        assert token not in response.body
        assert token not in str(dict(response.headers)).encode()


async def test_a_deployment_comes_with_instances_and_phases_of_its_start(jp_fetch):
    shown = await get(jp_fetch, "deployments", "hello")
    assert shown["instances"][0]["state"] == "ready"
    assert shown["last_cold_start"]["phases"].keys() == {"process", "imports", "load", "ready"}
    assert (await get(jp_fetch, "deployments", "hello", "instances"))["instances"][0]["id"].startswith(
        "hello-"
    )


async def test_a_log_is_cut_and_searched(jp_fetch):
    lines = (await get(jp_fetch, "deployments", "hello", "logs", lines=3))["lines"]
    assert len(lines) == 3
    found = (await get(jp_fetch, "deployments", "hello", "logs", q="echo initialized"))["lines"]
    assert found
    assert all("Echo initialized" in line["text"] for line in found)
    error = await refused(get(jp_fetch, "deployments", "hello", "logs", q="(", regex="true"))
    assert error.code == 400


async def test_an_unknown_deployment_is_a_404_in_the_clouds_words(jp_fetch):
    error = await refused(get(jp_fetch, "deployments", "nobody"))
    assert error.code == 404
    assert "nobody" in json.loads(error.response.body)["message"]


@pytest.mark.parametrize("name", ["..%2f..%2fcloud", "Hello", "a%3fb", "a b"])
async def test_what_cannot_be_a_name_does_not_reach_the_cloud(jp_fetch, name):
    error = await refused(jp_fetch("bento-jupyter", "deployments", name))
    assert error.code in (400, 404)
    if error.code == 400:
        assert json.loads(error.response.body).keys() == {"message", "hint"}


@pytest.mark.parametrize("lines", ["many", "-1", "1.5"])
async def test_a_wrong_number_of_lines_is_a_400(jp_fetch, lines):
    error = await refused(get(jp_fetch, "deployments", "hello", "logs", lines=lines))
    assert error.code == 400
    assert "lines" in json.loads(error.response.body)["message"]


async def test_terminate_and_start_again(jp_fetch, cloud):
    def post(verb):
        return jp_fetch("bento-jupyter", "deployments", "hello", verb, method="POST", body="")

    terminated = json.loads((await post("terminate")).body)
    assert terminated["status"] in ("terminating", "terminated")
    await asyncio.to_thread(cloud.wait, "hello", "terminated")
    started = json.loads((await post("start")).body)
    assert started["name"] == "hello"
    view = await asyncio.to_thread(cloud.wait, "hello", "running")
    assert view.ready == 1


async def test_looking_is_no_activity_but_acting_is(jp_fetch, jp_web_app):
    await jp_fetch("api", "contents")
    before = jp_web_app.settings["api_last_activity"]
    await get(jp_fetch, "overview")
    await get(jp_fetch, "deployments", "hello")
    assert jp_web_app.settings["api_last_activity"] == before
    await jp_fetch("bento-jupyter", "cloud", "start", method="POST", body="")
    assert jp_web_app.settings["api_last_activity"] > before


async def test_a_change_is_hinted_within_a_second(jp_fetch, jp_ws_fetch, cloud):
    listener = await jp_ws_fetch("api", "events", "subscribe")
    await get(jp_fetch, "overview")
    first = json.loads(await asyncio.wait_for(listener.read_message(), 5))
    assert first["cloud"] is True, "the feed is connected, whatever there is can be asked for"

    creating = asyncio.create_task(asyncio.to_thread(cloud.create, "brief"))
    try:
        while True:
            hint = json.loads(await asyncio.wait_for(listener.read_message(), 20))
            assert hint["schema_id"] == "https://events.bento-jupyter.org/deployments/v1"
            if "brief" in hint["names"]:
                break
        view = await asyncio.to_thread(cloud.view, "brief")
        assert time.time() - view.created_at.timestamp() < 1
        shown = await get(jp_fetch, "overview")
        assert {"brief", "hello"} == {deployment["name"] for deployment in shown["deployments"]}
    finally:
        await creating
        await asyncio.to_thread(cloud.bentoml, "deployment", "terminate", "brief", "--wait")
        await asyncio.to_thread(cloud.bentoml, "deployment", "delete", "brief")
        listener.close()


async def test_a_few_are_asked_for_by_name(jp_fetch):
    shown = await get(jp_fetch, "changes", names="hello,nobody")
    assert [deployment["name"] for deployment in shown["deployments"]] == ["hello"]
    assert shown["gone"] == ["nobody"]
    assert (await refused(get(jp_fetch, "changes", names="a," * 101))).code == 400


async def test_many_tabs_get_the_same_answer(jp_fetch):
    answers = await asyncio.gather(*(get(jp_fetch, "overview") for _ in range(20)))
    assert {answer["state"] for answer in answers} == {"running"}
    assert len({answer["event_id"] for answer in answers}) == 1
