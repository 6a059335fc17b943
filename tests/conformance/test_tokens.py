"""Rows T1-T4 of the contract: API tokens, what each may do, and their end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest


def shown(text: str) -> dict:
    """The JSON in what the CLI prints, after its box with the value."""
    return json.loads(text[text.index("{") :])


@pytest.fixture
def token(cloud, bentoml) -> Iterator[Callable[..., dict]]:
    """`token(*scopes, expires="")` makes one by the CLI; they are deleted at the end."""
    made: list[str] = []

    def make(*scopes: str, expires: str = "1d") -> dict:
        words = [word for scope in scopes for word in ("--scope", scope)]
        done = bentoml("api-token", "create", "conformance", *words, "--expires", expires, "-o", "json")
        found = shown(done.stdout)
        made.append(found["uid"])
        return found

    yield make
    for uid in made:
        cloud.http.delete(f"/api/v1/api_tokens/{uid}")


def asked(cloud, token: dict, call: str) -> int:
    method, path = call.split()
    headers = {"X-YATAI-API-TOKEN": token["token"]}
    return httpx.request(method, cloud.endpoint + path, headers=headers, timeout=60).status_code


def test_a_token_is_made_shown_once_listed_and_deleted(cloud, bentoml, token):
    """T1-T4."""
    made = token("api", "read_cluster")
    assert set(made["scopes"]) == {"api", "read_cluster"}
    assert made["token"]
    listed = json.loads(bentoml("api-token", "list", "-o", "json").stdout)
    assert [each for each in listed if each["uid"] == made["uid"]]
    assert made["token"] not in json.dumps(listed)
    assert made["token"] not in bentoml("api-token", "get", made["uid"], "-o", "json").stdout
    assert "conformance" in bentoml("api-token", "list", "--search", "conform").stdout

    bentoml("api-token", "delete", made["uid"])
    gone = bentoml("api-token", "get", made["uid"], check=False)
    assert gone.returncode != 0
    assert asked(cloud, made, "GET /api/v1/auth/current") == 401
    assert bentoml("api-token", "delete", made["uid"], check=False).returncode != 0


def test_a_token_without_scopes_may_do_what_api_may(cloud, token):
    made = token()
    assert made["scopes"] == ["api"]
    assert asked(cloud, made, "GET /api/v1/org_secrets") == 200


def test_login_with_a_token_of_ones_own(cloud, bentoml, token, name):
    login = ("cloud", "login", "--endpoint", cloud.endpoint, "--api-token", token("api")["token"])
    bentoml(*login, "--context", name)
    bentoml("cloud", "update-current-context", "default")
    assert json.loads(bentoml("deployment", "list", "-o", "json", "--context", name).stdout) is not None


def test_a_scope_that_there_is_not_and_a_day_that_has_passed_are_refused(bentoml):
    for words in (["--scope", "root"], ["--expires", "2020-01-01"]):
        assert bentoml("api-token", "create", "conformance", *words, check=False).returncode != 0


def test_a_reading_token_reads_and_deploys_nothing(embedded, bentoml, token, echo, name):
    reader = token("read_organization", "read_cluster")
    for call in (
        "GET /api/v1/models",
        "GET /api/v1/org_secrets",
        "GET /api/v2/deployments",
        "GET /api/v1/instance_types",
    ):
        assert asked(embedded, reader, call) == 200, call
    for call in ("POST /api/v2/deployments", "POST /api/v1/org_secrets", "GET /api/v1/api_tokens"):
        assert asked(embedded, reader, call) == 403, call
    login = ("cloud", "login", "--endpoint", embedded.endpoint, "--api-token", reader["token"])
    bentoml(*login, "--context", name)
    bentoml("cloud", "update-current-context", "default")
    done = bentoml("deploy", echo, "-n", name, "--no-wait", "--context", name, check=False)
    assert done.returncode != 0
    assert embedded.http.get(f"/api/v2/deployments/{name}").status_code == 404


def test_an_organization_token_is_not_for_the_cluster_and_the_other_way_round(embedded, token):
    organization, cluster = token("write_organization"), token("write_cluster")
    assert asked(embedded, organization, "GET /api/v1/models") == 200
    assert asked(embedded, organization, "GET /api/v2/deployments") == 403
    assert asked(embedded, cluster, "GET /api/v2/deployments") == 200
    assert asked(embedded, cluster, "GET /api/v1/org_secrets") == 403


def test_a_protected_deployment_is_called_with_the_right_tokens_until_they_end(
    embedded, bentoml, token, echo, name, status, eventually
):
    bentoml("deploy", echo, "-n", name, "--no-wait", "--access-authorization", "true")
    url = status(name, "running")["urls"][0]

    def call(value: str | None) -> int:
        headers = {} if value is None else {"Authorization": f"Bearer {value}"}
        with httpx.Client(timeout=60, trust_env=False, headers=headers) as client:
            return client.post(f"{url}/echo", json={"text": "a"}).status_code

    allowed, refused = token("read_cluster"), token("write_organization")
    eventually(lambda: call(allowed["token"]) == 200, 10)
    assert call(embedded.token) == 200
    assert [call(refused["token"]), call("wrong"), call(None)] == [401] * 3
    bentoml("api-token", "delete", allowed["uid"])
    eventually(lambda: call(allowed["token"]) == 401, 10)

    body = {"name": "short", "scopes": ["api"], "expired_at": in_seconds(4)}
    short = embedded.http.post("/api/v1/api_tokens", json=body).raise_for_status().json()
    eventually(lambda: call(short["token"]) == 200, 3)
    eventually(lambda: call(short["token"]) == 401, 12)


def in_seconds(seconds: float) -> str:
    """That time as the client sends it: local, without a zone."""
    from datetime import datetime, timedelta

    return (datetime.now() + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S.%f")
