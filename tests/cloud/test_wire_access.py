"""Who may do what: login, tokens, scopes, names of the host."""

from __future__ import annotations

import hashlib
import json

import httpx
import pytest
from starlette.routing import Route

from bento_jupyter.cloud.api.guards import OPEN_PATHS
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


def test_a_reading_token_reads_and_changes_nothing(cloud):
    answer = cloud.http.post("/api/v1/api_tokens", json={"name": "reader", "scopes": ["read_organization"]})
    reader = {"X-YATAI-API-TOKEN": answer.json()["token"]}
    assert httpx.get(f"{cloud.endpoint}/api/v2/deployments", headers=reader).status_code == 200
    for method, path in [
        ("POST", "/api/v2/deployments"),
        ("DELETE", "/api/v2/deployments/any"),
        ("GET", "/api/v1/api_tokens"),
        ("POST", "/api/v1/api_tokens"),
        ("POST", "/api/bj/v1/shutdown"),
    ]:
        assert httpx.request(method, cloud.endpoint + path, headers=reader).status_code == 403, path


def test_a_scope_that_there_is_not_and_a_date_that_has_passed_are_refused(cloud):
    wrong = cloud.http.post("/api/v1/api_tokens", json={"name": "x", "scopes": ["root"]})
    assert wrong.status_code == 400
    assert "write_cluster" in wrong.json()["error"]
    old = cloud.http.post(
        "/api/v1/api_tokens", json={"name": "x", "expired_at": "2020-01-01 00:00:00.000000"}
    )
    assert old.status_code == 400


def test_a_browser_login_needs_the_owner_and_gives_its_token_once(cloud):
    with httpx.Client(base_url=cloud.endpoint, trust_env=False) as browser:
        code = browser.get("/api/v1/auth/code").json()["code"]
        page = f"/api_tokens?code={code}"
        assert browser.post(page).headers["location"].startswith("/login")
        assert browser.get("/api/v1/auth/token", params={"code": code}).status_code == 404

        assert "not a token" in browser.post("/login", data={"token": "guess"}).text
        assert browser.post("/login", data={"token": cloud.token}).status_code == 303
        assert "Allow" in browser.get(page).text
        assert "close this page" in browser.post(page).text

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
