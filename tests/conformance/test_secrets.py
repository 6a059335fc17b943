"""Rows S1-S5 of the contract: secrets, and that a deployment is given them."""

from __future__ import annotations

import hashlib
import json
import re

import httpx
import pytest

from bento_jupyter.home import Home

VALUE = "v4lue-that-nobody-sees-again"


def keys(secret: dict) -> list[str]:
    return [item["key"] for item in secret["content"]["items"]]


def listed(bentoml) -> dict[str, dict]:
    return {each["name"]: each for each in json.loads(bentoml("secret", "list", "-o", "json").stdout)}


def call(deployment: dict, endpoint: str, **arguments: str) -> str:
    answer = httpx.post(f"{deployment['urls'][0]}/{endpoint}", json=arguments, timeout=60, trust_env=False)
    return answer.raise_for_status().text


def test_a_secret_of_variables_is_made_listed_changed_and_deleted(cloud, bentoml, name):
    """S1, S2, S4, S5."""
    bentoml("secret", "create", name, f"API_KEY={VALUE}", "OTHER=x", "-d", "words")
    made = listed(bentoml)[name]
    assert (made["content"]["type"], made["content"]["stage"]) == ("env", "runtime")
    assert (keys(made), made["description"]) == (["API_KEY", "OTHER"], "words")

    bentoml("secret", "apply", name, f"NEW_KEY={VALUE}", "--stage", "all")
    changed = listed(bentoml)[name]
    assert (keys(changed), changed["content"]["stage"]) == (["NEW_KEY"], "all")
    assert name in bentoml("secret", "list", "--search", name).stdout

    bentoml("secret", "delete", name)
    assert name not in listed(bentoml)
    assert "Secret not found" in bentoml("secret", "delete", name, check=False).stderr
    assert "Secret not found" in bentoml("secret", "apply", name, "A=b", check=False).stderr


def test_a_secret_is_made_of_a_dotenv_file(bentoml, name, tmp_path):
    (tmp_path / "values.env").write_text(f"FIRST={VALUE}\n# words\nSECOND='two words'\n")
    bentoml("secret", "create", name, "--from-literal", "-f", str(tmp_path / "values.env"))
    assert keys(listed(bentoml)[name]) == ["FIRST", "SECOND"]


def test_a_secret_of_files_is_below_the_home_of_bentoml(bentoml, name, tmp_path):
    (tmp_path / "token.txt").write_text(VALUE)
    bentoml("secret", "create", name, "-t", "file", f"token=@{tmp_path / 'token.txt'}")
    content = listed(bentoml)[name]["content"]
    assert (content["type"], content["path"]) == ("mountfile", "$BENTOML_HOME")


def test_more_than_ten_secrets_are_all_listed(cloud, bentoml, name):
    """The client asks for 10, always, and never for more."""
    names = [f"{name}-{number}" for number in range(12)]
    content = {"type": "env", "items": [{"key": "A", "value": "b"}]}
    try:
        for each in names:
            body = {"name": each, "description": None, "content": content}
            cloud.http.post("/api/v1/org_secrets", json=body).raise_for_status()
        assert set(names) <= set(listed(bentoml))
    finally:
        for each in names:
            cloud.http.delete(f"/api/v1/org_secrets/{each}")


def test_no_answer_has_a_value(cloud, name):
    """S1 to S5, as they are on the wire."""
    url = f"/api/v1/org_secrets/{name}"
    content = {"type": "env", "stage": "runtime", "items": [{"key": "API_KEY", "value": VALUE}]}
    body = {"name": name, "description": None, "content": content}
    answers = [
        cloud.http.post("/api/v1/org_secrets", json=body),
        cloud.http.post("/api/v1/org_secrets", json=body),
        cloud.http.get("/api/v1/org_secrets", params={"search": name}),
        cloud.http.get(url),
        cloud.http.patch(url, json={"content": content, "description": None}),
        cloud.http.patch(url, json={"content": {**content, "stage": VALUE}}),
        cloud.http.patch(url, json={"content": {**content, "items": [{"key": [VALUE], "value": VALUE}]}}),
        cloud.http.delete(url),
    ]
    assert [answer.status_code for answer in answers] == [200, 409, 200, 200, 200, 400, 400, 200]
    assert not any(VALUE in answer.text for answer in answers)


def test_a_secret_that_is_not_there_is_refused_by_name_before_anything_is_made(cloud, bentoml, echo, name):
    """S3."""
    done = bentoml("deploy", echo, "-n", name, "--secret", "no-such", "--no-wait", check=False)
    assert done.returncode != 0
    assert "no-such" in done.stdout + done.stderr
    assert cloud.http.get(f"/api/v2/deployments/{name}").status_code == 404


def test_a_deployment_is_given_its_secrets_at_the_next_start(cloud, bentoml, echo, name, status, eventually):
    bentoml("secret", "create", name, f"API_KEY={VALUE}")
    bentoml("deploy", echo, "-n", name, "--secret", name, "--no-wait")
    deployed = status(name, "running")
    assert deployed["latest_revision"]["targets"][0]["config"]["secrets"] == [name]
    first = hashlib.sha256(VALUE.encode()).hexdigest()
    assert call(deployed, "digest", name="API_KEY") == first

    refused = bentoml("secret", "delete", name, check=False)
    assert refused.returncode != 0
    assert name in refused.stdout + refused.stderr

    bentoml("secret", "apply", name, f"API_KEY={VALUE}-2")
    assert call(deployed, "digest", name="API_KEY") == first
    bentoml("deployment", "terminate", name, "--wait")
    cloud.http.put(f"/api/v2/deployments/{name}/void_update").raise_for_status()
    second = hashlib.sha256(f"{VALUE}-2".encode()).hexdigest()
    assert call(status(name, "running"), "digest", name="API_KEY") == second

    bentoml("deployment", "terminate", name, "--wait")
    bentoml("deployment", "delete", name)
    eventually(lambda: bentoml("secret", "delete", name, check=False).returncode == 0, 10)


@pytest.mark.parametrize("how", ["file", "env"])
def test_two_secrets_that_say_the_same_thing_are_refused_with_both_names(cloud, bentoml, echo, name, how):
    other = f"{name}-b"
    try:
        bentoml("secret", "create", name, "-t", how, "KEY=1")
        bentoml("secret", "create", other, "-t", how, "KEY=2")
        done = bentoml("deploy", echo, "-n", name, "--secret", name, "--secret", other, check=False)
        said = re.sub(r"\s", "", done.stdout + done.stderr)
        assert done.returncode != 0
        assert all(word in said for word in (name, other, "KEY"))
        assert cloud.http.get(f"/api/v2/deployments/{name}").status_code == 404
    finally:
        cloud.http.delete(f"/api/v1/org_secrets/{other}")


def test_the_embedded_cloud_keeps_values_in_its_database_only(embedded, bentoml, echo, name, status):
    value = f"{VALUE}-{name}"
    bentoml("secret", "create", name, f"API_KEY={value}", "--stage", "all")
    bentoml("deploy", echo, "-n", name, "--secret", name, "--no-wait")
    view = embedded.http.get(f"/api/bj/v1/deployments/{name}")
    assert value not in view.text
    home = Home(embedded.home)
    files = [path for path in home.root.rglob("*") if path.is_file() and not path.name.startswith("cloud.db")]
    assert [path for path in files if value.encode() in path.read_bytes()] == []
    database = [path for path in home.cloud.glob("cloud.db*") if value.encode() in path.read_bytes()]
    assert database
    assert all(path.stat().st_mode & 0o077 == 0 for path in database)


FILE_SERVICE = """
import os
from pathlib import Path

import bentoml


@bentoml.service
class Reader:
    @bentoml.api
    def read(self, path: str) -> str:
        return (Path(os.environ["BENTOML_HOME"]) / path).read_text()
"""


def test_a_file_of_a_secret_is_where_its_paths_say(cloud, bentoml, name, status, tmp_path):
    (tmp_path / "service.py").write_text(FILE_SERVICE)
    (tmp_path / "bentofile.yaml").write_text("service: service:Reader\nname: reader\ninclude: [service.py]\n")
    items = [{"key": "KEY", "value": VALUE, "sub_path": "secrets/password"}, {"key": "flat", "value": "é\n"}]
    content = {"type": "mountfile", "path": "$BENTOML_HOME/demo", "stage": "runtime", "items": items}
    body = {"name": name, "description": None, "content": content}
    cloud.http.post("/api/v1/org_secrets", json=body).raise_for_status()
    bentoml("deploy", ".", "-n", name, "--secret", name, "--no-wait", cwd=tmp_path)
    deployed = status(name, "running")
    assert call(deployed, "read", path="demo/secrets/password/KEY") == VALUE
    assert call(deployed, "read", path="demo/flat") == "é\n"


def test_a_canary_is_given_its_own_secrets(cloud, bentoml, echo, name, status, tmp_path):
    other = f"{name}-b"
    try:
        bentoml("secret", "create", name, f"API_KEY={VALUE}")
        bentoml("secret", "create", other, f"API_KEY={VALUE}-canary")
        canary = {"bento": echo, "weight": 100, "secrets": [other]}
        config = {
            "name": name,
            "bento": echo,
            "secrets": [name],
            "canary": {"route_type": "random", "versions": {"next": canary}},
        }
        (tmp_path / "deployment.json").write_text(json.dumps(config))
        bentoml("deploy", "-f", str(tmp_path / "deployment.json"), "--no-wait")
        expected = hashlib.sha256(f"{VALUE}-canary".encode()).hexdigest()
        assert call(status(name, "running"), "digest", name="API_KEY") == expected
        assert name in bentoml("secret", "delete", other, check=False).stderr
    finally:
        cloud.http.delete(f"/api/v2/deployments/{name}")
        cloud.http.delete(f"/api/v1/org_secrets/{other}")


def test_no_revision_comes_back_without_its_secret(embedded, bentoml, echo, name):
    bentoml("secret", "create", name, f"API_KEY={VALUE}")
    deploy = {
        "bento": echo,
        "name": name,
        "secrets": [name],
        "services": {"Echo": {"scaling": {"min_replicas": 0}}},
    }
    embedded.http.post("/api/v2/deployments", json=deploy).raise_for_status()
    embedded.http.put(f"/api/v2/deployments/{name}", json={**deploy, "secrets": []}).raise_for_status()
    bentoml("secret", "delete", name)
    answer = embedded.http.post(f"/api/bj/v1/deployments/{name}/rollback", json={"revision": 1})
    assert answer.status_code == 400
    assert name in answer.json()["message"]
    revisions = embedded.http.get(f"/api/bj/v1/deployments/{name}/revisions")
    assert VALUE not in revisions.text
