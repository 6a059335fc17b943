"""Canaries and Bentos of several services, with the unmodified client."""

from __future__ import annotations

from pathlib import Path

import httpx
import psutil
import pytest
import yaml

SHADE = """
import os
import bentoml

@bentoml.service
class Shade:
    def __init__(self):
        if os.environ.get("BREAK"):
            raise RuntimeError("broken on purpose")

    @bentoml.api
    def shade(self) -> str:
        return "{version} " + os.environ.get("DEPTH", "none")
"""

DUO = """
import os
import bentoml

@bentoml.service(traffic={{"timeout": 20}})
class Back:
    @bentoml.api
    def double(self, number: int) -> dict:
        return {{"answer": 2 * number, "pid": os.getpid(), "depth": os.environ.get("DEPTH", "{version}")}}

@bentoml.service(traffic={{"timeout": 20}})
class Front:
    back = bentoml.depends(Back)

    @bentoml.api
    def ask(self, number: int) -> dict:
        return {{"front": os.getpid(), "version": "{version}", **self.back.double(number=number)}}
"""

BUILD = (
    "import bentoml; bentoml.bentos.build('service:{service}', name={name!r}, version={version!r}, "
    "include=['service.py'], python={{'lock_packages': False}})"
)


def build(bentoml, folder: Path, source: str, service: str, version: str) -> str:
    project = folder / f"{service}-{version}"
    project.mkdir()
    (project / "service.py").write_text(source.format(version=version))
    name = service.lower()
    bentoml.python(BUILD.format(service=service, name=name, version=version), cwd=project)
    bentoml("push", f"{name}:{version}")
    return f"{name}:{version}"


@pytest.fixture(scope="module")
def shades(bentoml, tmp_path_factory) -> list[str]:
    """Two versions of a Bento that says which one it is."""
    folder = tmp_path_factory.mktemp("shades")
    return [build(bentoml, folder, SHADE, "Shade", version) for version in ("v1", "v2")]


@pytest.fixture(scope="module")
def duos(bentoml, tmp_path_factory) -> list[str]:
    """Two versions of a Bento of two services, one of which calls the other."""
    folder = tmp_path_factory.mktemp("duos")
    return [build(bentoml, folder, DUO, "Front", version) for version in ("v1", "v2")]


def deploy(bentoml, tmp_path: Path, action: list[str], config: dict) -> None:
    file = tmp_path / "deployment.yaml"
    file.write_text(yaml.safe_dump(config))
    bentoml(*action, "-f", str(file))


def asked(view: dict, number: int = 0, **sent) -> httpx.Response:
    return httpx.post(f"{view['url']}/{'ask' if number else 'shade'}", timeout=60, trust_env=False, **sent)


def test_a_canary_that_does_not_start_gets_no_requests_and_the_reason_is_said(
    cloud, bentoml, shades, deployment_name, wait_for
):
    canary = {"bento": shades[1], "weight": 100, "envs": [{"name": "BREAK", "value": "1"}]}
    body = {"name": deployment_name, "bento": shades[0], "canary": {"versions": {"next": canary}}}
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    view = wait_for(
        lambda: (
            (seen := cloud.view(deployment_name))["reason"].count("broken on purpose")
            and seen["status"] == "running"
            and seen
        ),
        90,
    )
    assert view["reason"].startswith("canary next gets no requests: the Bento does not start")
    assert {asked(view, json={}).text for _ in range(10)} == {"v1 none"}
    assert view["sets"][1]["status"] == "failed"


def test_each_service_of_a_bento_runs_and_scales_on_its_own(
    cloud, bentoml, duos, deployment_name, tmp_path, wait_for
):
    config = {
        "name": deployment_name,
        "bento": duos[0],
        "services": {
            "Front": {"scaling": {"min_replicas": 1, "max_replicas": 1}},
            "Back": {
                "scaling": {
                    "min_replicas": 0,
                    "max_replicas": 2,
                    "policy": {"scale_down_stabilization_window": 1},
                },
                "envs": [{"name": "DEPTH", "value": "deep"}],
            },
        },
    }
    deploy(bentoml, tmp_path, ["deploy"], config)
    view = cloud.view(deployment_name)
    assert [(each["service"], each["ready"]) for each in view["sets"]] == [("Front", 1), ("Back", 0)]
    answer = asked(view, 1, json={"number": 21})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["answer"], found["depth"]) == (42, "deep")
    assert found["front"] != found["pid"], "each service has processes of its own"
    by_service = {each["service"]: each["pid"] for each in cloud.view(deployment_name)["instances"]}
    assert by_service == {"Front": found["front"], "Back": found["pid"]}
    wait_for(lambda: cloud.view(deployment_name)["sets"][1]["ready"] == 0, 30)
    assert asked(view, 1, json={"number": 1}).json()["answer"] == 2
    assert httpx.post(f"{view['url']}/double", json={"number": 1}, trust_env=False).status_code == 404


def test_services_of_a_new_revision_take_over_together(cloud, bentoml, duos, deployment_name, wait_for):
    body = {"name": deployment_name, "bento": duos[0]}
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    view = cloud.wait_until(deployment_name, "running", seconds=90)
    assert asked(view, 1, json={"number": 1}).json()["depth"] == "v1"
    cloud.http.put(f"/api/v2/deployments/{deployment_name}", json={"bento": duos[1]}).raise_for_status()
    seen = set()

    def is_over() -> bool:
        answer = asked(view, 1, json={"number": 1})
        assert answer.status_code == 200, answer.text
        seen.add((answer.json()["version"], answer.json()["depth"]))
        return (
            cloud.view(deployment_name)["status"] == "running"
            and len(cloud.view(deployment_name)["instances"]) == 2
        )

    wait_for(is_over, 90)
    assert {("v1", "v1"), ("v2", "v2")} <= seen | {("v2", "v2")}
    assert asked(view, 1, json={"number": 1}).json()["version"] == "v2"


def test_a_bento_of_other_services_takes_the_place_of_one(cloud, duos, shades, deployment_name, wait_for):
    before = {"name": deployment_name, "bento": duos[0]}
    cloud.http.post("/api/v2/deployments", json=before).raise_for_status()
    cloud.wait_until(deployment_name, "running", seconds=90)
    # The client's `update` sends the services again that there were.
    config = {"bento": shades[0], "services": {"Front": {}, "Back": {}}}
    cloud.http.put(f"/api/v2/deployments/{deployment_name}", json=config).raise_for_status()
    seen = []

    def is_over() -> bool:
        view = cloud.view(deployment_name)
        seen.append(sum(each["state"] == "ready" for each in view["instances"]))
        return [each["service"] for each in view["sets"]] == ["Shade"] and len(view["instances"]) == 1

    wait_for(is_over, 90)
    assert min(seen) >= 1, "somebody answered all the time"
    view = cloud.wait_until(deployment_name, "running")
    assert asked(view, json={}).text == "v1 none"


def test_services_find_each_other_again_when_the_gateway_was_killed(cloud, duos, deployment_name, wait_for):
    body = {"name": deployment_name, "bento": duos[0]}
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    view = cloud.wait_until(deployment_name, "running", seconds=90)
    assert asked(view, 1, json={"number": 1}).json()["answer"] == 2
    (gateway,) = [
        each
        for each in psutil.Process(cloud.process.pid).children()
        if "bento_jupyter.cloud.gateway" in each.cmdline()
    ]
    gateway.kill()

    def answers() -> bool:
        try:
            return asked(view, 1, json={"number": 1}).status_code == 200
        except httpx.TransportError:
            return False

    wait_for(answers, 30)
