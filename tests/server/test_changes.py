"""What the sidebar changes, and what it passes through: scaling, revisions, logs as they come, pages."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from realcloud import RealCloud
from tornado.httpclient import HTTPClientError

from bento_jupyter.errors import InvalidRequestError
from bento_jupyter.magics.parsing import split
from bento_jupyter.server.configuration import changed, magic_line, without_values
from bento_jupyter.server.payloads import Change
from bento_jupyter.service_spec import Canary, CanaryVersion, ServiceSpec
from bento_jupyter.spec import DeploymentSpec, Mode


@pytest.fixture
def cloud(shared: RealCloud) -> RealCloud:
    return shared


@pytest.fixture
def other(cloud: RealCloud):
    """A deployment that may be changed."""
    cloud.create("other", "--scaling-max", "2", "--env", "GREETING=not-to-be-shown")
    cloud.wait("other", "running")
    yield "other"
    if any(view.name == "other" for view in cloud.views()):
        cloud.bentoml("deployment", "terminate", "other", "--wait")
        cloud.bentoml("deployment", "delete", "other")


async def call(jp_fetch, method, *parts, body=None, **query):
    sent = None if method in ("GET", "DELETE") else json.dumps(body or {})
    response = await jp_fetch(
        "bento-jupyter",
        *parts,
        method=method,
        body=sent,
        params=query,
        request_timeout=60,
        headers={"Content-Type": "application/json"},
    )
    return json.loads(response.body)


async def pages(jp_fetch):
    """Where the pages of the deployment `hello` are, below the server's base URL."""
    entry = await jp_fetch(
        *("bento-jupyter", "deployments", "hello", "pages/"), follow_redirects=False, raise_error=False
    )
    assert entry.code == 302
    return "bento-jupyter" + entry.headers["Location"].partition("bento-jupyter")[2].rstrip("/")


async def echo(jp_fetch, text):
    """Ask the deployment `hello` through the Jupyter server."""
    answer = await jp_fetch(
        *(await pages(jp_fetch), "echo"),
        method="POST",
        body=json.dumps({"text": text}),
        headers={"Content-Type": "application/json"},
    )
    return answer.body.decode()


async def test_it_is_scaled_switched_rolled_back_and_deleted(jp_fetch, cloud, other):
    scaled = await call(jp_fetch, "PATCH", "deployments", other, body={"max": 3, "concurrency": 4})
    assert (scaled["scaling"]["min"], scaled["scaling"]["max"]) == (1, 3)
    assert scaled["scaling"]["concurrency"] == 4
    assert scaled["envs"] == ["GREETING"], "what was not to be changed stayed"

    switched = await call(jp_fetch, "PATCH", "deployments", other, body={"mode": "on-demand"})
    assert (switched["mode"], switched["scaling"]["min"]) == ("on-demand", 0)

    with pytest.raises(HTTPClientError) as caught:
        await call(jp_fetch, "PATCH", "deployments", other, body={"min": 1})
    assert caught.value.code == 400
    assert "mode" in json.loads(caught.value.response.body)["message"]

    revisions = (await call(jp_fetch, "GET", "deployments", other, "revisions"))["revisions"]
    assert [revision["number"] for revision in revisions] == [3, 2, 1]
    assert revisions[0]["active"]
    back = await call(jp_fetch, "POST", "deployments", other, "rollback", body={"revision": 1})
    assert (back["mode"], back["scaling"]["max"], back["revision"]) == ("online", 2, 4)

    told = await call(jp_fetch, "GET", "deployments", other, "configuration")
    assert "GREETING" in told["yaml"]
    assert "not-to-be-shown" not in told["yaml"] + told["magic"]
    assert told["magic"].startswith("%bento_deploy echo:v1 --name other --mode online --min=1 --max=2")

    events = (await call(jp_fetch, "GET", "deployments", other, "events"))["events"]
    assert {event["name"] for event in events} == {other}
    await call(jp_fetch, "DELETE", "deployments", other)
    with pytest.raises(HTTPClientError) as caught:
        await call(jp_fetch, "GET", "deployments", other)
    assert caught.value.code == 404


async def test_lists_of_what_the_cloud_has(jp_fetch):
    (bento,) = (await call(jp_fetch, "GET", "bentos"))["items"]
    assert bento["tag"] == "echo:v1"
    assert bento["used_by"] == ["hello"]
    assert (await call(jp_fetch, "GET", "models"))["items"] == []
    (image,) = (await call(jp_fetch, "GET", "images"))["images"]
    assert image["used_by"] == ["hello"]
    assert (await call(jp_fetch, "GET", "images", image["key"], "log"))["lines"] is not None
    assert (await call(jp_fetch, "GET", "instance_types"))["items"]
    assert (await call(jp_fetch, "GET", "secrets"))["items"] == []
    with pytest.raises(HTTPClientError) as caught:
        await call(jp_fetch, "DELETE", "bentos", "echo", "v1")
    assert caught.value.code == 409


async def test_requests_show_up_in_the_traffic(jp_fetch):
    assert await echo(jp_fetch, "hi") == "HI"
    points: list[int] = []
    while sum(points) == 0:
        (item,) = (await call(jp_fetch, "GET", "traffic", names="hello,nobody"))["items"]
        points = item["points"]
        await asyncio.sleep(0.05)
    assert (item["name"], len(points)) == ("hello", 45)
    assert item["rate"] > 0


async def test_a_log_comes_as_it_is_written(jp_fetch, jp_ws_fetch):
    listener = await jp_ws_fetch(
        "bento-jupyter", "deployments", "hello", "logs", "stream", params={"q": "a rare word"}
    )
    await echo(jp_fetch, "a rare word")
    said = json.loads(await asyncio.wait_for(listener.read_message(), 20))
    assert [line["text"] for line in said["lines"]] == ["echo was asked for a rare word"]
    listener.close()


async def test_a_log_that_cannot_be_followed_says_why(jp_ws_fetch):
    listener = await jp_ws_fetch("bento-jupyter", "deployments", "nobody", "logs", "stream")
    said = json.loads(await asyncio.wait_for(listener.read_message(), 20))
    assert "nobody" in said["message"]
    assert await asyncio.wait_for(listener.read_message(), 20) is None


async def test_a_followed_log_ends_with_its_deployment(jp_fetch, jp_ws_fetch, other):
    listener = await jp_ws_fetch("bento-jupyter", "deployments", other, "logs", "stream", params={"lines": 5})
    first = json.loads(await asyncio.wait_for(listener.read_message(), 20))
    assert 1 <= len(first["lines"]) <= 5
    await call(jp_fetch, "DELETE", "deployments", other)
    while await asyncio.wait_for(listener.read_message(), 20) is not None:
        pass


async def test_the_pages_of_a_deployment_are_reached_below_the_base_url(jp_fetch):
    below = await pages(jp_fetch)
    page = await jp_fetch(f"{below}/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert b"./static_content/swagger-ui-bundle.js" in page.body
    style = await jp_fetch(below, "static_content", "swagger-ui.css")
    assert style.headers["Content-Type"].startswith("text/css")
    described = json.loads((await jp_fetch(below, "docs.json", params={"q": "é"})).body)
    assert "/echo" in described["paths"]


async def test_where_a_page_leads_on_to_is_below_the_base_url_too(jp_fetch, jp_base_url):
    below = await pages(jp_fetch)
    led = {}
    for word in ("near", "far"):
        answer = await jp_fetch(below, "pages", word, follow_redirects=False, raise_error=False)
        led[word] = (answer.code, answer.headers["Location"])
    assert led == {
        "near": (307, f"{jp_base_url}{below}/echo?q=1#top"),
        "far": (307, "https://elsewhere.example/x"),
    }


async def test_a_page_that_breaks_off_is_not_taken_for_a_whole_one(jp_fetch):
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch(await pages(jp_fetch), "pages", "broken")
    assert caught.value.code == 599, "the connection was closed before the end"


async def test_a_page_of_a_deployment_is_no_part_of_jupyter(jp_fetch, http_server_client, jp_base_url):
    below = jp_base_url + await pages(jp_fetch)
    page = await http_server_client.fetch(f"{below}/")
    assert "sandbox allow-scripts" in page.headers["Content-Security-Policy"]
    assert "allow-same-origin" not in page.headers["Content-Security-Policy"]
    asked = await http_server_client.fetch(
        f"{below}/echo", method="OPTIONS", headers={"Origin": "null", "Access-Control-Request-Method": "POST"}
    )
    assert asked.headers["Access-Control-Allow-Origin"] == "null"
    assert "content-type" in asked.headers["Access-Control-Allow-Headers"]
    answer = await http_server_client.fetch(
        f"{below}/echo",
        method="POST",
        body='{"text": "hi"}',
        headers={"Origin": "null", "Content-Type": "application/json"},
    )
    assert (answer.body, answer.headers["Access-Control-Allow-Origin"]) == (b"HI", "null")
    other = below.replace("/hello", "/other") + "/"
    for path in (f"{below}//x", f"{jp_base_url}bento-jupyter/overview", f"{jp_base_url}api/contents", other):
        with pytest.raises(HTTPClientError) as caught:
            await http_server_client.fetch(path, headers={"Origin": "null"})
        assert caught.value.code in (403, 404)


@pytest.mark.parametrize(
    "path",
    ["nobody/pages/", "http:%2f%2f127.0.0.1:1/pages/", "hello@127.0.0.1:1/pages/"],
)
async def test_nothing_but_a_known_deployment_is_reached(jp_fetch, path):
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch(f"bento-jupyter/deployments/{path}")
    assert caught.value.code in (400, 404)


def asked(least, most, **fields):
    mode = Mode.ON_DEMAND if least == 0 else Mode.ONLINE
    return DeploymentSpec(name="hello", bento="echo:v1", mode=mode, min=least, max=most, **fields)


@given(
    st.sampled_from([(0, 1), (1, 1), (2, 5)]),
    st.builds(
        Change,
        mode=st.sampled_from([None, *Mode]),
        min=st.none() | st.integers(0, 5),
        max=st.none() | st.integers(1, 5),
        concurrency=st.none() | st.integers(0, 8),
    ),
)
def test_a_change_comes_to_a_configuration_that_fits_its_mode_or_is_refused(before, wanted):
    services = {"Other": ServiceSpec(instance_type="cpu.small")}
    try:
        after = changed(asked(*before, services=services), "Echo", wanted)
    except InvalidRequestError:
        return
    assert after.scaling.min <= after.scaling.max
    if wanted.mode is not None:
        assert (after.scaling.min == 0) is (wanted.mode is Mode.ON_DEMAND)
    assert after.services == services
    assert changed(after, "Echo", wanted).to_wire("Echo") == after.to_wire("Echo")


def test_the_magic_line_asks_for_the_same_but_for_values_of_variables():
    spec = asked(
        0,
        3,
        timeout=9,
        queue=5,
        retries=False,
        scale_up_seconds=7,
        envs={"A": "secret"},
        labels={"team": "two words", "bento-jupyter.owner": "x.ipynb"},
        services={"Other": ServiceSpec(envs={"B": "secret"}, max=2)},
        canary=Canary(versions={"c": CanaryVersion(bento="echo:v2", weight=10, envs={"C": "secret"})}),
    )
    line = magic_line(spec)
    assert "secret" not in line
    assert "# and the values of its variables: A, B, C" in line
    words = split(line.removeprefix("%bento_deploy "))
    for word in ("--timeout=9.0", "--queue=5", "--no-retries", "--scale-up=7", "--label=team=two words"):
        assert word in words, word
    assert words[words.index("--service") :][:3] == ["--service", "Other", "max=2"]
    assert words[words.index("--canary") :][:2] == ["--canary", "c"]
    assert not any(word.startswith(("--env", "envs=")) or "owner" in word for word in words)
    assert without_values(spec.to_wire("Echo"))["envs"] == [{"name": "A"}]
