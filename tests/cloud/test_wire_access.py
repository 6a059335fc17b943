"""Who may do what: login, tokens, scopes, names of the host."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta

import httpx
import pytest
from starlette.routing import Route

from bento_jupyter.cloud.api.guards import OPEN_PATHS, needed_scopes
from bento_jupyter.cloud.app import create_app
from bento_jupyter.cloud.hosts import host_name
from bento_jupyter.cloud.settings import CloudSettings
from bento_jupyter.home import Home


def test_login_with_a_wrong_token_fails_and_says_so(cloud, bentoml):
    done = bentoml(
        "cloud",
        "login",
        "--endpoint",
        cloud.endpoint,
        "--api-token",
        "wrong",
        "--context",
        "wrong",
        check=False,
    )
    assert done.returncode == 1
    assert "Bad credentials" in done.stdout + done.stderr


def test_no_call_of_the_api_is_answered_without_a_token(cloud, tmp_path):
    app = create_app(CloudSettings(home=Home(tmp_path)))
    guarded = [
        (method, route.path.replace("{name}", "a").replace("{version}", "b").replace("{uid}", "c"))
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith("/api/") and route.path not in OPEN_PATHS
        for method in route.methods - {"HEAD"}
    ]
    assert len(guarded) > 40
    with httpx.Client(base_url=cloud.endpoint, trust_env=False) as stranger:
        for method, path in guarded:
            answer = stranger.request(method, path)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example:8080", ""]
)
def test_a_request_for_another_host_is_refused_even_with_the_token(cloud, host):
    for path in ("/api/v1/auth/current", "/api/v1/auth/code", "/login"):
        assert cloud.http.get(path, headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:80", "LOCALHOST:8080", "192.168.1.5:80"])
def test_a_request_for_this_machine_is_answered(cloud, host):
    assert cloud.http.get("/api/v1/auth/current", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("header", "name"), [("a:1", "a"), ("[::1]:1", "::1"), ("[::1]", "::1"), ("A", "a"), ("", ""), (":1", "")]
)
def test_the_name_in_a_host_header(header, name):
    assert host_name(header) == name


def test_an_api_token_is_made_listed_and_deleted_and_its_value_kept_nowhere(cloud, bentoml):
    made = bentoml("api-token", "create", "ci", "--scope", "api", "--expires", "1d", "-o", "json").stdout
    fields = json.loads(made[made.index("{") :])
    value, uid = fields["token"], fields["uid"]
    bearer = {"Authorization": f"Bearer {value}"}
    assert httpx.get(f"{cloud.endpoint}/api/v1/auth/current", headers=bearer).status_code == 200

    assert uid in bentoml("api-token", "list", "-o", "json").stdout
    assert value not in bentoml("api-token", "get", uid, "-o", "json").stdout
    database = b"".join(path.read_bytes() for path in cloud.home.cloud.glob("cloud.db*"))
    assert hashlib.sha256(value.encode()).hexdigest().encode() in database
    assert value.encode() not in database
    assert value not in cloud.log()
    assert cloud.token not in cloud.log()

    bentoml("api-token", "delete", uid)
    assert httpx.get(f"{cloud.endpoint}/api/v1/auth/current", headers=bearer).status_code == 401
    assert uid not in bentoml("api-token", "list", "-o", "json").stdout


#: What a token of each scope may do besides asking who it is.
READING_ORGANIZATION = {
    "GET /api/v1/bento_repositories",
    "GET /api/v1/bento_repositories/{name}/bentos/{version}/download",
    "GET /api/v1/models",
    "GET /api/v1/org_secrets",
    "PATCH /api/v1/model_repositories/{name}/models/{version}/presign_download_url",
}
WRITING_ORGANIZATION = {
    "POST /api/v1/bento_repositories",
    "PUT /api/v1/bento_repositories/{name}/bentos/{version}/upload",
    "PATCH /api/v1/model_repositories/{name}/models/{version}/start_upload",
    "POST /api/v1/org_secrets",
    "DELETE /api/v1/org_secrets/{name}",
}
READING_CLUSTER = {
    "GET /api/v2/deployments",
    "GET /api/v1/instance_types",
    "GET /api/bj/v1/cloud",
    "GET /api/bj/v1/deployments/{name}/logs",
}
WRITING_CLUSTER = {
    "POST /api/v2/deployments",
    "PUT /api/v2/deployments/{name}",
    "DELETE /api/v2/deployments/{name}",
    "POST /api/bj/v1/deployments/{name}/start",
}
OWNING = {
    "GET /api/v1/api_tokens",
    "POST /api/v1/api_tokens",
    "DELETE /api/v1/api_tokens/{name}",
    "POST /api/bj/v1/something-new",
    "POST /api/bj/v1/shutdown\n",
    "GET /api/v2/deploymentsx",
}


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["read_organization"], READING_ORGANIZATION),
        (["write_organization"], READING_ORGANIZATION | WRITING_ORGANIZATION),
        (["read_cluster"], READING_CLUSTER),
        (["write_cluster"], READING_CLUSTER | WRITING_CLUSTER),
        (["read_organization", "read_cluster"], READING_ORGANIZATION | READING_CLUSTER),
        (["api"], READING_ORGANIZATION | READING_CLUSTER | WRITING_ORGANIZATION | WRITING_CLUSTER | OWNING),
    ],
)
def test_a_token_may_do_what_its_scopes_say(scopes, allowed):
    """Asked of the guard alone: which scope is enough says nothing about what the call then answers."""
    asked = READING_ORGANIZATION | READING_CLUSTER | WRITING_ORGANIZATION | WRITING_CLUSTER | OWNING
    for call in asked | {"GET /api/v1/auth/current", "GET /api/v1/current_org"}:
        method, path = call.split(" ", 1)
        needed = needed_scopes({"type": "http", "method": method}, path.replace("{name}", "a"))
        expected = call in allowed or call not in asked
        assert bool(needed & set(scopes)) == expected, call
    logs = needed_scopes({"type": "websocket"}, "/ws/v1/clusters/default/tail")
    assert bool(logs & set(scopes)) == ("GET /api/bj/v1/cloud" in allowed)


def test_a_token_that_may_not_is_told_what_it_may(cloud):
    answer = cloud.http.post("/api/v1/api_tokens", json={"name": "reader", "scopes": ["read_cluster"]})
    reader = {"X-YATAI-API-TOKEN": answer.json()["token"]}
    assert httpx.get(f"{cloud.endpoint}/api/v2/deployments", headers=reader).status_code == 200
    assert httpx.get(f"{cloud.endpoint}/api/v1/auth/current", headers=reader).status_code == 200
    for method, path in [
        ("POST", "/api/v2/deployments"),
        ("DELETE", "/api/v2/deployments/any"),
        ("GET", "/api/v1/org_secrets"),
        ("GET", "/api/v1/api_tokens"),
        ("POST", "/api/v1/api_tokens"),
        ("POST", "/api/bj/v1/shutdown"),
    ]:
        refused = httpx.request(method, cloud.endpoint + path, headers=reader)
        assert refused.status_code == 403, path
        assert "read_cluster" in refused.text


def test_a_token_ends_when_it_is_revoked_and_when_its_time_is_over(cloud, wait_for):
    soon = (datetime.now() + timedelta(seconds=1.5)).strftime("%Y-%m-%d %H:%M:%S.%f")
    short = cloud.http.post("/api/v1/api_tokens", json={"name": "short", "expired_at": soon}).json()
    long = cloud.http.post("/api/v1/api_tokens", json={"name": "long"}).json()

    def status(token: dict) -> int:
        headers = {"X-YATAI-API-TOKEN": token["token"]}
        return httpx.get(f"{cloud.endpoint}/api/v1/auth/current", headers=headers).status_code

    assert (status(short), status(long)) == (200, 200)
    cloud.http.delete(f"/api/v1/api_tokens/{long['uid']}").raise_for_status()
    assert status(long) == 401
    wait_for(lambda: status(short) == 401, 10)
    listed = cloud.http.get("/api/v1/api_tokens", params={"search": "short"}).json()["items"]
    assert [each["is_expired"] for each in listed] == [True]


def test_a_scope_that_there_is_not_and_a_date_that_has_passed_are_refused(cloud):
    wrong = cloud.http.post("/api/v1/api_tokens", json={"name": "x", "scopes": ["root"]})
    assert wrong.status_code == 400
    assert "write_cluster" in wrong.json()["error"]
    old = cloud.http.post(
        "/api/v1/api_tokens", json={"name": "x", "expired_at": "2020-01-01 00:00:00.000000"}
    )
    assert old.status_code == 400
    none = cloud.http.post("/api/v1/api_tokens", json={"name": "x", "scopes": []})
    assert none.status_code == 400


def test_a_browser_login_needs_the_owner_and_gives_its_token_once(cloud):
    with httpx.Client(base_url=cloud.endpoint, trust_env=False) as browser:
        code = browser.get("/api/v1/auth/code").json()["code"]
        page = f"/api_tokens?code={code}"
        assert browser.post(page).headers["location"].startswith("/login")
        assert browser.get("/api/v1/auth/token", params={"code": code}).status_code == 404

        assert "not a token" in browser.post("/login", data={"token": "guess"}).text
        assert browser.post("/login", data={"token": cloud.token}).status_code == 303
        form = browser.get(page).text
        assert "Allow" in form
        assert browser.post(page).status_code == 403  # not sent by that form
        (proof,) = re.findall(r"""name=["']csrf["'] value=["']([^"']+)""", form)
        assert "close this page" in browser.post(page, data={"csrf": proof}).text

        token = browser.get("/api/v1/auth/token", params={"code": code}).json()["token"]
        assert browser.get("/api/v1/auth/token", params={"code": code}).status_code == 404
    assert token != cloud.token
    headers = {"X-YATAI-API-TOKEN": token}
    assert httpx.get(f"{cloud.endpoint}/api/v1/auth/current", headers=headers).status_code == 200


def test_a_token_that_may_not_give_out_tokens_cannot_do_so_by_the_pages_either(cloud):
    token = cloud.http.post(
        "/api/v1/api_tokens", json={"name": "ci", "description": "", "scopes": ["write_organization"]}
    ).json()["token"]
    answer = httpx.post(f"{cloud.endpoint}/login", data={"token": token})
    assert "not a token" in answer.text
    assert "set-cookie" not in answer.headers


def test_a_login_page_leads_nowhere_else(cloud):
    answer = httpx.post(f"{cloud.endpoint}/login?next=//evil.example", data={"token": cloud.token})
    assert answer.headers["location"] == "/deployments"
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
