"""What the Jupyter server leaves to commands: pushing, exporting, logging in."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timezone

import httpx
import pytest
from realcloud import RealCloud
from tornado.httpclient import HTTPClientError

from bento_jupyter.proofs import ProofNote, keep


@pytest.fixture
def cloud(shared: RealCloud) -> RealCloud:
    return shared


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Another cloud, which nobody is logged in to yet."""
    other = RealCloud(tmp_path_factory.mktemp("elsewhere"))
    other.start()
    yield other
    other.stop()


async def call(jp_fetch, method, *parts, **body):
    sent = None if method in ("GET", "DELETE") else json.dumps(body)
    answer = await jp_fetch("bento-jupyter", *parts, method=method, body=sent, request_timeout=60)
    return json.loads(answer.body)


async def done(jp_fetch, *parts, **body):
    """Begin a job, and wait for its end."""
    job = await call(jp_fetch, "POST", *parts, **body)
    while job["state"] == "running":
        job = await call(jp_fetch, "GET", "jobs", job["id"])
    return job


async def refused(call):
    with pytest.raises(HTTPClientError) as caught:
        await call
    return caught.value.code, json.loads(caught.value.response.body)


async def test_a_bento_of_the_local_store_is_listed_pushed_and_proven(jp_fetch, cloud):
    cloud.bentoml("build", "--name", "fresh", "--version", "v1", str(cloud.folder / "project"))
    try:
        fresh, echo = (await call(jp_fetch, "GET", "bentos"))["items"]
        assert (fresh["tag"], fresh["in_cloud"], fresh["in_store"]) == ("fresh:v1", False, True)
        assert (echo["tag"], echo["in_cloud"], echo["in_store"]) == ("echo:v1", True, True)
        assert fresh["size_bytes"] > 0
        assert fresh["proof"] is None

        now = datetime.now(timezone.utc)
        keep(cloud.home, "fresh:v1", ProofNote(equal=True, line="1 endpoint", at=now))
        assert (await done(jp_fetch, "bentos", "fresh", "v1", "push", cloud="embedded"))["state"] == "done"
        fresh = (await call(jp_fetch, "GET", "bentos"))["items"][0]
        assert (fresh["in_cloud"], fresh["proof"]["line"]) == (True, "1 endpoint")
        keep(cloud.home, "fresh:v1", ProofNote(equal=True, line="of another one", at=now, built_at=now))
        assert (await call(jp_fetch, "GET", "bentos"))["items"][0]["proof"] is None
    finally:
        shutil.rmtree(cloud.folder / "bentoml" / "bentos" / "fresh")
        await call(jp_fetch, "DELETE", "bentos", "fresh", "v1")


async def test_a_project_is_exported_into_a_new_folder_below_jupyters_root(jp_fetch, cloud, jp_root_dir):
    assert (await done(jp_fetch, "bentos", "echo", "v1", "export", folder="work/echo"))["state"] == "done"
    assert "class Echo" in (jp_root_dir / "work" / "echo" / "service.py").read_text()
    again = await done(jp_fetch, "bentos", "echo", "v1", "export", folder="work/echo")
    assert again["state"] == "failed"
    assert "there is something in" in again["message"]
    assert again["hint"] == "name a new folder"
    for folder in ("../elsewhere", ".", "work/../.."):
        code, said = await refused(call(jp_fetch, "POST", "bentos", "echo", "v1", "export", folder=folder))
        assert (code, "no folder below" in said["message"]) == (400, True)
    # What the local store does not have comes from the cloud.
    shutil.rmtree(cloud.folder / "bentoml" / "bentos" / "echo")
    assert (await done(jp_fetch, "bentos", "echo", "v1", "export", folder="again"))["state"] == "done"
    assert (jp_root_dir / "again" / "service.py").exists()


async def test_one_logs_in_elsewhere_and_the_token_never_comes_back(jp_fetch, cloud, elsewhere):
    endpoint, token = elsewhere.state.endpoint, elsewhere.state.token
    wrong = await done(jp_fetch, "login", endpoint=endpoint, token="not-the-token", context="prod")
    assert wrong["state"] == "failed"
    assert "token" in wrong["message"]
    assert not any(item["name"] == "prod" for item in (await call(jp_fetch, "GET", "contexts"))["items"])

    assert (await done(jp_fetch, "login", endpoint=endpoint, token=token, context="prod"))["state"] == "done"
    told = await call(jp_fetch, "GET", "contexts")
    (prod,) = [item for item in told["items"] if item["name"] == "prod"]
    assert (prod["endpoint"], prod["embedded"]) == (endpoint, False)
    states = await call(jp_fetch, "GET", "contexts", "states")
    assert [(item["name"], item["state"]) for item in states["items"]] == [("prod", "ready")]
    assert token not in json.dumps([told, states])

    assert (await done(jp_fetch, "contexts", "current", cloud="prod"))["state"] == "done"
    told = await call(jp_fetch, "GET", "contexts")
    assert [item["name"] for item in told["items"] if item["current"]] == ["prod"]
    assert (await done(jp_fetch, "bentos", "echo", "v1", "push", cloud="prod"))["state"] == "done"
    async with httpx.AsyncClient(headers={"X-YATAI-API-TOKEN": token}, trust_env=False) as client:
        there = (await client.get(f"{endpoint}/api/bj/v1/bentos")).json()
    assert [item["tag"] for item in there["items"]] == ["echo:v1"]
    elsewhere.stop()
    (state,) = (await call(jp_fetch, "GET", "contexts", "states"))["items"]
    assert state["state"] == "unreachable"
    elsewhere.start()
    assert (await done(jp_fetch, "contexts", "forget", cloud="prod"))["state"] == "done"
    assert (await call(jp_fetch, "GET", "contexts", "states"))["items"] == []
    code, said = await refused(call(jp_fetch, "POST", "contexts", "forget", cloud="prod"))
    assert (code, said["message"]) == (400, "nobody is logged in to a cloud prod")


async def test_a_cloud_is_started_on_what_was_asked_for(jp_fetch, cloud):
    wanted = {"engine": "ray", "ray_address": "http://127.0.0.1:9", "ray_token": "of-nobody"}
    running = await done(jp_fetch, "cloud", "start-on", **wanted)
    assert (running["state"], "runs already" in running["message"]) == ("failed", True)
    cloud.stop()
    try:
        lost = await done(jp_fetch, "cloud", "start-on", **wanted)
        assert "http://127.0.0.1:9 does not answer" in lost["message"]
        assert "of-nobody" not in json.dumps(lost)
        code, _ = await refused(call(jp_fetch, "POST", "cloud", "start-on", engine="abacus"))
        assert code == 400
        assert (await done(jp_fetch, "cloud", "start-on", engine="processes"))["state"] == "done"
        assert cloud.state is not None
    finally:
        cloud.start()


@pytest.mark.parametrize(
    ("endpoint", "token"),
    [("not-a-url", "x"), ("https://user:password@cloud.example", "x"), ("https://cloud.example", "")],
)
async def test_what_cannot_be_a_login_is_refused_without_saying_the_token(jp_fetch, endpoint, token):
    code, said = await refused(call(jp_fetch, "POST", "login", endpoint=endpoint, token=token))
    assert code == 400
    assert "password" not in json.dumps(said)


async def test_only_known_clouds_and_jobs_are_reached(jp_fetch):
    code, _ = await refused(call(jp_fetch, "POST", "bentos", "echo", "v1", "push", cloud="nobodys"))
    assert code == 400
    code, _ = await refused(call(jp_fetch, "POST", "contexts", "current", cloud="--help"))
    assert code == 400
    code, said = await refused(call(jp_fetch, "GET", "jobs", "0123456789abcdef"))
    assert code == 404
    assert said["hint"]
