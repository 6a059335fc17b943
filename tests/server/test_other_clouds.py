"""Other clouds than the embedded one in the sidebar: one that tells all, and one like BentoCloud."""

from __future__ import annotations

import json

import pytest
import yaml
from plain_cloud import logged_in_to, without_additions
from realcloud import RealCloud, eventually
from tornado.httpclient import HTTPClientError


def healthy(cloud, name):
    """Wait until a deployment answers, or would."""
    eventually(lambda: cloud.view(name).healthy)


@pytest.fixture
def cloud(shared: RealCloud) -> RealCloud:
    return shared


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """Another cloud with deployments of the same and of another name."""
    team = RealCloud(tmp_path_factory.mktemp("team"))
    team.start()
    try:
        team.push_echo()
        team.create_many(["hello", "theirs", "more"])
        team.create("guarded", "--access-authorization", "true")
        for name in ("hello", "theirs", "more", "guarded"):
            healthy(team, name)
        yield team
    finally:
        team.stop()


@pytest.fixture
def logged_in(cloud, team):
    """The file of contexts, as long as one is."""
    file = cloud.folder / "bentoml" / ".yatai.yaml"
    with logged_in_to(team, file):
        yield file


async def call(jp_fetch, method, *parts, cloud="", **body):
    sent = json.dumps(body) if method in ("POST", "PATCH") else None
    answer = await jp_fetch(
        "bento-jupyter", *parts, method=method, body=sent, params={"cloud": cloud}, request_timeout=60
    )
    return json.loads(answer.body)


async def refused(call):
    with pytest.raises(HTTPClientError) as caught:
        await call
    return caught.value.code, json.loads(caught.value.response.body)


def names(overview):
    return sorted(item["name"] for item in overview["deployments"])


@pytest.mark.parametrize("name", ["team", "bare"])
async def test_its_deployments_are_listed_as_they_are(jp_fetch, cloud, team, logged_in, name):
    told = await call(jp_fetch, "GET", "overview", cloud=name)
    assert (told["context"], told["state"]) == (name, "running")
    assert names(told) == ["guarded", "hello", "more", "theirs"]
    guarded = next(item for item in told["deployments"] if item["name"] == "guarded")
    seen = team.view("guarded")
    assert (guarded["status"], guarded["url"], guarded["mode"]) == ("running", seen.url, "online")
    assert (guarded["protected"], guarded["healthy"], guarded["bento"]) == (True, True, "echo:v1")
    assert (told["cloud"] is None) == (name == "bare")
    assert names(await call(jp_fetch, "GET", "overview")) == ["hello"]
    assert team.state.token not in json.dumps(told)


@pytest.mark.parametrize("unknown", [(200, b"<html>the console</html>"), (403, b'{"error": "forbidden"}')])
async def test_a_cloud_may_answer_anything_to_what_it_does_not_know(jp_fetch, team, logged_in, unknown):
    with without_additions(team.state.endpoint, unknown=unknown) as endpoint:
        said = yaml.safe_load(logged_in.read_text())
        said["contexts"][1]["endpoint"] = endpoint
        logged_in.write_text(yaml.safe_dump(said))
        told = await call(jp_fetch, "GET", "overview", cloud="bare")
    assert (told["state"], told["cloud"], len(told["deployments"])) == ("running", None, 4)


async def test_one_deployment_that_cannot_be_told_of_hides_no_other(jp_fetch, team, logged_in):
    with without_additions(team.state.endpoint, broken="/api/v2/deployments/more") as endpoint:
        said = yaml.safe_load(logged_in.read_text())
        said["contexts"][1]["endpoint"] = endpoint
        logged_in.write_text(yaml.safe_dump(said))
        told = await call(jp_fetch, "GET", "overview", cloud="bare")
    assert (told["state"], names(told)) == ("running", ["guarded", "hello", "more", "theirs"])
    where = {item["name"]: item["url"] for item in told["deployments"]}
    assert where["more"] is None
    assert where["hello"] == team.view("hello").url


@pytest.mark.parametrize("name", ["team", "bare"])
async def test_its_deployments_are_changed_and_not_those_of_the_embedded_one(
    jp_fetch, cloud, team, logged_in, name
):
    said = await call(jp_fetch, "POST", "deployments", "hello", "terminate", cloud=name)
    assert said["name"] == "hello"
    team.wait("hello", "terminated")
    assert (await call(jp_fetch, "GET", "deployments", "hello"))["status"] == "running"
    await call(jp_fetch, "POST", "deployments", "hello", "start", cloud=name)
    healthy(team, "hello")
    changed = await call(jp_fetch, "PATCH", "deployments", "hello", cloud=name, max=3)
    assert changed["scaling"]["max"] == 3
    assert cloud.view("hello").scaling.max == 1
    form = await call(jp_fetch, "GET", "form", cloud=name)
    assert form["schema"]["properties"]["bento"]["enum"] == ["echo:v1"]
    assert "cpu.1" in form["schema"]["properties"]["instance_type"]["enum"]
    wanted = {"update": "", "owner": "", "fields": {"name": "new", "bento": "echo:v1", "mode": "on-demand"}}
    plan = await call(jp_fetch, "POST", "plan", cloud=name, **wanted)
    assert (plan["action"], plan["problems"]) == ("create", [])
    assert f"--cloud={name}" in plan["line"]
    assert (await call(jp_fetch, "POST", "deploy", cloud=name, **wanted))["name"] == "new"
    assert "new" in {view.name for view in team.views()}
    assert "new" not in {view.name for view in cloud.views()}
    configuration = await call(jp_fetch, "GET", "deployments", "new", "configuration", cloud=name)
    assert f"--cloud={name}" in configuration["magic"]
    healthy(team, "new")
    await call(jp_fetch, "POST", "deployments", "new", "terminate", cloud=name)
    await call(jp_fetch, "DELETE", "deployments", "new", cloud=name)
    assert "new" not in names(await call(jp_fetch, "GET", "overview", cloud=name))


@pytest.mark.parametrize("name", ["team", "bare"])
async def test_a_protected_one_is_asked_with_its_clouds_token(jp_fetch, team, logged_in, name):
    asked = await call(jp_fetch, "GET", "deployments", "guarded", "interface", cloud=name)
    assert "echo" in [endpoint["name"] for endpoint in asked["endpoints"]]
    answer = await jp_fetch(
        *("bento-jupyter", "deployments", "guarded", "pages", "echo"),
        method="POST",
        body=json.dumps({"text": "hi"}),
        headers={"Content-Type": "application/json", "X-Bento-Cloud": name},
    )
    assert answer.body == b"HI"
    entry = await jp_fetch(
        *("bento-jupyter", "deployments", "guarded", "pages/"),
        params={"cloud": name},
        follow_redirects=False,
        raise_error=False,
    )
    below = "bento-jupyter" + entry.headers["Location"].partition("bento-jupyter")[2]
    assert b"swagger" in (await jp_fetch(below)).body.lower()


@pytest.mark.parametrize("name", ["team", "bare"])
async def test_its_registry_is_read_and_pulled_from(jp_fetch, cloud, logged_in, name):
    bentos = (await call(jp_fetch, "GET", "bentos", cloud=name))["items"]
    assert {(item["tag"], item["in_cloud"]) for item in bentos} >= {("echo:v1", True)}
    assert (await call(jp_fetch, "GET", "models", cloud=name))["items"] == []
    assert (await call(jp_fetch, "GET", "secrets", cloud=name))["items"] == []


@pytest.mark.parametrize("what", ["instances", "metrics", "events", "revisions", "logs"])
async def test_what_bentocloud_does_not_tell_is_said_to_be_so(jp_fetch, logged_in, what):
    await call(jp_fetch, "GET", "deployments", "hello", what, cloud="team")
    code, said = await refused(call(jp_fetch, "GET", "deployments", "hello", what, cloud="bare"))
    assert (code, said["message"]) == (502, f"bare does not tell the {what} of a deployment")


async def test_what_bentocloud_has_no_call_for_is_said_to_be_so(jp_fetch, logged_in):
    code, said = await refused(call(jp_fetch, "DELETE", "bentos", "echo", "v1", cloud="bare"))
    assert (code, said["message"]) == (502, "bare cannot be asked for that from here")


async def test_a_change_there_is_hinted_within_a_second(jp_fetch, jp_ws_fetch, team, logged_in):
    socket = await jp_ws_fetch("api", "events", "subscribe")
    await call(jp_fetch, "GET", "overview", cloud="team")
    await call(jp_fetch, "POST", "deployments", "theirs", "terminate", cloud="team")
    try:
        hint: dict = {}
        while "theirs" not in hint.get("names", []):
            hint = json.loads(await socket.read_message())
        assert hint["context"] == "team"
    finally:
        socket.close()
        await call(jp_fetch, "POST", "deployments", "theirs", "start", cloud="team")


async def test_one_that_is_away_or_logged_out_of_is_a_state(jp_fetch, team, logged_in):
    said = yaml.safe_load(logged_in.read_text())
    said["contexts"][0]["api_token"] = "wrong"
    said["contexts"][1]["endpoint"] = "http://127.0.0.1:9"
    logged_in.write_text(yaml.safe_dump(said))
    told = await call(jp_fetch, "GET", "overview", cloud="team")
    assert (told["state"], told["deployments"]) == ("refused", [])
    bentos = (await call(jp_fetch, "GET", "bentos", cloud="team"))["items"]
    assert not any(item["in_cloud"] for item in bentos)
    told = await call(jp_fetch, "GET", "overview", cloud="bare")
    assert told["state"] == "unreachable"
    assert "bare does not answer" in told["message"]
    said["contexts"][1]["endpoint"] = team.state.endpoint
    for token in ("s3cret\nin lines", "s3crét"):
        said["contexts"][1]["api_token"] = token
        logged_in.write_text(yaml.safe_dump(said))
        told = await call(jp_fetch, "GET", "overview", cloud="bare")
        states = (await call(jp_fetch, "GET", "contexts", "states"))["items"]
        for each in (told, next(state for state in states if state["name"] == "bare")):
            assert each["state"] == "refused"
            assert "no token has" in each["message"]
            assert "s3cr" not in each["message"]
    for endpoint in ("", "no address", "http://[bad", "http://host:abc"):
        said["contexts"][1]["endpoint"] = endpoint
        logged_in.write_text(yaml.safe_dump(said))
        told = await call(jp_fetch, "GET", "overview", cloud="bare")
        assert (told["state"], told["message"]) == ("refused", f"bare is at no address: {endpoint!r}")
    # Something else answers there: a deployment, which has none of these calls.
    said["contexts"][1]["endpoint"] = team.view("guarded").url
    logged_in.write_text(yaml.safe_dump(said))
    told = await call(jp_fetch, "GET", "overview", cloud="bare")
    assert told["state"] in ("unreachable", "refused")
    logged_in.write_text(yaml.safe_dump({"contexts": []}))
    told = await call(jp_fetch, "GET", "overview", cloud="team")
    assert (told["state"], told["message"]) == ("refused", "nobody is logged in to a cloud team")
    code, said = await refused(call(jp_fetch, "GET", "deployments", "hello", cloud="team"))
    assert (code, said["message"]) == (502, "nobody is logged in to a cloud team")
