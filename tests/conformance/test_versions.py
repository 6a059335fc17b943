"""Canaries and Bentos of several services (1.4 and 1.5 of the contract)."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
import yaml

DUO = """
import os

import bentoml


@bentoml.service
class Back:
    @bentoml.api
    def double(self, number: int) -> int:
        return 2 * number * int(os.environ.get("FACTOR", "1"))


@bentoml.service
class Front:
    back = bentoml.depends(Back)

    @bentoml.api
    def ask(self, number: int) -> int:
        return self.back.double(number=number) + 1

    @bentoml.api
    async def ask_later(self, number: int) -> int:
        return await self.back.to_async.double(number=number) + 1
"""


@pytest.fixture
def deploy(bentoml, tmp_path):
    """`deploy(config)` deploys a configuration file."""

    def run(config: dict, *action: str) -> None:
        file = tmp_path / "deployment.yaml"
        file.write_text(yaml.safe_dump(config))
        bentoml(*(action or ("deploy", "--no-wait")), "-f", str(file))

    return run


def asked(deployment: dict, path: str, body: dict, **sent) -> httpx.Response:
    return httpx.post(
        f"{deployment['urls'][0]}/{path}", json=body, timeout=90, trust_env=False, **sent
    ).raise_for_status()


@pytest.mark.parametrize("route_type", ["header", "query", "random"])
def test_a_canary_gets_its_share_and_an_update_by_the_client_keeps_it(
    cloud, bentoml, deploy, echo, name, status, route_type
):
    one = {"Echo": {"scaling": {"min_replicas": 0, "max_replicas": 1}}}
    marked = [{"name": "MARK", "value": "canary"}]
    version = {"bento": echo, "weight": 40, "services": one, "envs": marked}
    canary = {"route_type": route_type, "route_by": "X-User", "versions": {"next": version}}
    config = {"name": name, "bento": echo, "services": one, "canary": canary}
    deploy(config)
    found = status(name, "running", "scaled-to-zero")

    def answers() -> list[str]:
        place = {"header": "headers", "query": "params"}.get(route_type)
        users = [{place: {"X-User": str(user)}} if place else {} for user in range(40)]
        return [asked(found, "digest", {"name": "MARK"}, **sent).text for sent in users]

    first = answers()
    assert len(set(first)) == 2
    if route_type != "random":
        assert answers() == first, "the same user meets the same version"

    shown = json.loads(bentoml("deployment", "get", name, "-o", "json").stdout)["config"]["canary"]
    assert (shown["route_type"], shown["versions"]["next"]["bento"]) == (route_type, echo)
    bentoml("deployment", "update", name, "--scaling-max", "2")
    wire = cloud.http.get(f"/api/v2/deployments/{name}").json()
    assert wire["manifest"]["routing"]["weights"]["next"] == 40
    assert [target["name"] for target in wire["latest_revision"]["targets"]] == ["main", "next"]
    assert wire["latest_revision"]["targets"][1]["config"]["envs"] == marked

    deploy({**config, "canary": None, "cluster": wire["cluster"]["name"]}, "deployment", "apply")
    wire = status(name, "running", "scaled-to-zero")
    assert [target["name"] for target in wire["latest_revision"]["targets"]] == ["main"]
    assert len(set(answers())) == 1


def test_a_bento_of_several_services_runs_each_as_it_is_configured(
    bentoml, deploy, name, status, tmp_path: Path
):
    project = tmp_path / "duo"
    project.mkdir()
    (project / "service.py").write_text(DUO)
    (project / "bentofile.yaml").write_text(
        "service: service:Front\nname: duo\ninclude: [service.py]\npython: {lock_packages: false}\n"
    )
    bentoml("build", "--version", name, cwd=project)
    bentoml("push", f"duo:{name}")
    idle = {"scaling": {"min_replicas": 0, "max_replicas": 1}}
    back = {
        **idle,
        "envs": [{"name": "FACTOR", "value": "10"}],
        "config_overrides": {"traffic": {"timeout": 30}},
    }
    deploy({"name": name, "bento": f"duo:{name}", "services": {"Front": idle, "Back": back}})
    found = status(name, "running", "scaled-to-zero")
    assert asked(found, "ask", {"number": 2}).text == "41"
    assert asked(found, "ask_later", {"number": 3}).text == "61"
    config = json.loads(bentoml("deployment", "get", name, "-o", "json").stdout)["config"]
    assert set(config["services"]) == {"Front", "Back"}
    assert config["services"]["Back"]["config_overrides"]["traffic"]["timeout"] == 30


def test_services_that_are_not_mentioned_run_once(bentoml, name, status, tmp_path: Path):
    """The CLI's flags are about the entry service only."""
    (tmp_path / "service.py").write_text(DUO)
    (tmp_path / "bentofile.yaml").write_text(
        "service: service:Front\nname: duo\ninclude: [service.py]\npython: {lock_packages: false}\n"
    )
    bentoml("deploy", ".", "-n", name, "--scaling-min", "0", "--timeout", "120", cwd=tmp_path)
    config = json.loads(bentoml("deployment", "get", name, "-o", "json").stdout)["config"]
    scaling = config["services"]["Back"]["scaling"]
    assert (scaling["min_replicas"], scaling["max_replicas"]) == (1, 1)
    assert asked(status(name, "running", "scaled-to-zero"), "ask", {"number": 1}).text == "3"
