"""The Deploy dialog's half in the Jupyter server."""

from __future__ import annotations

import json

import pytest
from realcloud import RealCloud
from tornado.httpclient import HTTPClientError

from bento_jupyter.server.deploying import FIELDS, form_schema, masked_line
from bento_jupyter.server.interface import read_interface
from bento_jupyter.spec import DeploymentSpec


@pytest.fixture
def cloud(shared: RealCloud) -> RealCloud:
    return shared


@pytest.fixture
def deleted(cloud):
    yield
    for view in cloud.views():
        if view.name != "hello":
            cloud.bentoml("deployment", "terminate", view.name, "--wait")
            cloud.bentoml("deployment", "delete", view.name)


async def send(jp_fetch, path, **body):
    answer = await jp_fetch("bento-jupyter", path, method="POST", body=json.dumps(body))
    return json.loads(answer.body)


async def form(jp_fetch, **query):
    return json.loads((await jp_fetch("bento-jupyter", "form", params=query)).body)


async def test_the_form_offers_what_the_cloud_has(jp_fetch):
    shown = await form(jp_fetch)
    assert shown["data"] == {"name": "echo", "bento": "echo:v1", "mode": "online", "envs": {}}
    assert shown["schema"]["properties"]["bento"]["enum"] == ["echo:v1"]
    assert shown["schema"]["properties"]["instance_type"]["enum"]
    assert "secrets" not in shown["schema"]["properties"], "there are none"


async def test_a_plan_changes_nothing_and_a_deploy_does_what_it_said(jp_fetch, cloud, deleted):
    fields = {"name": "made", "bento": "echo:v1", "mode": "on-demand", "max": 3, "envs": {"KEY": "not-shown"}}
    plan = await send(jp_fetch, "plan", fields=fields)
    assert (plan["action"], plan["problems"]) == ("create", [])
    assert plan["line"] == "%bento_deploy echo:v1 --name made --mode on-demand --max=3 --env=KEY=..."
    assert [view.name for view in cloud.views()] == ["hello"]

    made = await send(jp_fetch, "deploy", fields=fields, owner="work/a.ipynb")
    assert (made["mode"], made["scaling"]["max"], made["envs"]) == ("on-demand", 3, ["KEY"])
    assert made["owner"].endswith("work/a.ipynb")

    shown = await form(jp_fetch, name="made")
    assert shown["data"]["envs"] == {"KEY": None}, "names, no values"
    assert "name" not in shown["schema"]["properties"]
    same = await send(jp_fetch, "plan", update="made", fields=shown["data"])
    assert (same["action"], same["changes"]) == ("nothing", [])

    wanted = {**shown["data"], "max": 4}
    plan = await send(jp_fetch, "plan", update="made", fields=wanted)
    assert [change["before"] for change in plan["changes"]] == ["3"]
    assert [change["after"] for change in plan["changes"]] == ["4"]
    assert "not-shown" not in json.dumps(plan)
    changed = await send(jp_fetch, "deploy", update="made", fields=wanted)
    assert (changed["scaling"]["max"], changed["revision"]) == (4, 2)
    assert changed["owner"] == made["owner"], "what the dialog does not show stays"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "Not a name", "bento": "echo:v1"}, "name"),
        ({"name": "a", "bento": "echo:v1", "mode": "on-demand", "min": 1}, "min"),
        ({"name": "a", "bento": "echo:v1", "max": 0}, "max"),
        ({"name": "a", "bento": "echo:v1", "envs": {"not a name": "x"}}, "envs"),
        ({"name": "hello", "bento": "echo:v1"}, "name"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field(jp_fetch, fields, field):
    plan = await send(jp_fetch, "plan", fields=fields)
    assert [problem["field"] for problem in plan["problems"]] == [field]
    with pytest.raises(HTTPClientError) as caught:
        await send(jp_fetch, "deploy", fields=fields)
    assert 400 <= caught.value.code < 500
    refusal = json.loads(caught.value.response.body)
    assert [problem["field"] for problem in refusal["problems"]] == [field]


async def test_what_the_dialog_has_no_field_for_is_refused(jp_fetch):
    with pytest.raises(HTTPClientError) as caught:
        await send(jp_fetch, "deploy", fields={"name": "a", "bento": "echo:v1", "labels": {}})
    assert caught.value.code == 400


async def test_what_it_can_be_asked_comes_with_an_example(jp_fetch):
    answer = await jp_fetch("bento-jupyter", "deployments", "hello", "interface")
    (endpoint,) = json.loads(answer.body)["endpoints"]
    assert endpoint == {"name": "echo", "route": "/echo", "example": '{\n  "text": "text"\n}', "parts": []}


def test_files_are_asked_for_as_parts_of_a_form():
    image = {"type": "file", "format": "image"}
    routes = [
        {
            "name": "look",
            "route": "/look",
            "input": {"properties": {"picture": image, "n": {"type": "integer"}}},
        },
        {"name": "read", "route": "/read", "input": {**image, "root_input": True}, "is_task": True},
        {
            "name": "sort",
            "route": "/sort",
            "input": {"properties": {"all": {"type": "array", "items": image}}},
        },
    ]
    look, read, sort = read_interface({"routes": routes}).endpoints
    assert [(part.name, part.file, part.example) for part in look.parts] == [
        ("picture", True, ""),
        ("n", False, "0"),
    ]
    assert [(part.name, part.file) for part in read.parts] == [("", True)]
    assert read.route == "/read/submit"
    assert sort.parts[0].many


def test_each_field_of_the_form_is_one_of_the_model():
    schema = form_schema(["a:1"], ["cpu.1"], ["key"], new=True)
    assert {*schema["properties"]} == {*FIELDS} <= {*DeploymentSpec.model_fields}
    assert "anyOf" not in json.dumps(schema)


def test_a_line_that_cannot_be_written_is_left_out():
    assert masked_line(DeploymentSpec(name="a", bento="a:1", labels={"a=b": "c"})) == ""
    canary = {"versions": {"n": {"bento": "a:2", "envs": {"KEY": "s3cret"}}}}
    line = masked_line(DeploymentSpec(name="a", bento="a:1", canary=canary))
    assert "KEY" in line
    assert "s3cret" not in line
