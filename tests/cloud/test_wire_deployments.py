"""Deployments with the unmodified client, from `bentoml deploy` to an answer."""

from __future__ import annotations

import json

import httpx
import pytest


def created(cloud, bento: str, name: str, **fields) -> httpx.Response:
    return cloud.http.post("/api/v2/deployments", json={"name": name, "bento": bento, **fields})


def test_bentoml_deploy_waits_until_it_runs_and_it_answers(cloud, bentoml, pushed_greeter, deployment_name):
    done = bentoml("deploy", pushed_greeter, "-n", deployment_name, "--timeout", "120")
    assert "is ready" in done.stdout
    answer = bentoml.python(
        "import bentoml\n"
        f"deployment = bentoml.deployment.get({deployment_name!r})\n"
        "print(deployment.get_status().status)\n"
        "print(deployment.get_client().greet(name='Ada'))\n"
    )
    assert answer.splitlines()[-2:] == ["running", "hello dear Ada"]


def test_the_life_of_a_deployment_with_the_cli(cloud, bentoml, pushed_greeter, deployment_name):
    options = ["--scaling-min", "0", "--scaling-max", "2", "--label", f"team={deployment_name}", "--no-wait"]
    bentoml("deploy", pushed_greeter, "-n", deployment_name, *options, "--env", "GREETING=hi")

    got = json.loads(bentoml("deployment", "get", deployment_name, "-o", "json").stdout)
    assert got["bento"] == pushed_greeter
    service = got["config"]["services"]["Greeter"]
    assert service["scaling"] == {"min_replicas": 0, "max_replicas": 2}
    assert service["instance_type"] == "cpu.1"
    assert got["config"]["envs"] == [{"name": "GREETING", "value": "hi"}]
    assert got["endpoint_urls"] == [cloud.view(deployment_name)["url"]]

    by_label = json.loads(
        bentoml("deployment", "list", "--label", f"team={deployment_name}", "-o", "json").stdout
    )
    assert [row["name"] for row in by_label] == [deployment_name]
    assert json.loads(bentoml("deployment", "list", "--label", "team=nobody", "-o", "json").stdout) == []

    bentoml("deployment", "update", deployment_name, "--scaling-max", "3")
    view = cloud.view(deployment_name)
    assert (view["scaling"]["max"], view["revision"]) == (3, 2)
    assert view["labels"] == {"team": deployment_name}, "labels that were not mentioned stay"

    bentoml("deployment", "terminate", deployment_name, "--wait")
    assert cloud.view(deployment_name)["status"] == "terminated"
    bentoml("deployment", "delete", deployment_name)
    assert cloud.http.get(f"/api/v2/deployments/{deployment_name}").status_code == 404
    assert cloud.http.get(f"/api/bj/v1/deployments/{deployment_name}").status_code == 404


def test_a_taken_name_is_a_conflict_that_the_client_shows(cloud, bentoml, pushed_greeter, deployment_name):
    scaled_to_zero = {"services": {"Greeter": {"scaling": {"min_replicas": 0}}}}
    assert created(cloud, pushed_greeter, deployment_name, **scaled_to_zero).status_code == 200
    assert created(cloud, pushed_greeter, deployment_name).status_code == 409
    done = bentoml("deployment", "create", pushed_greeter, "-n", deployment_name, "--no-wait", check=False)
    assert done.returncode == 1
    assert f"there is a deployment '{deployment_name}' already" in done.stderr


def test_what_is_pushed_anew_under_a_deployed_tag_is_rolled_out(
    cloud, bentoml, fresh_greeter, deployment_name, wait_for
):
    bentoml("deploy", fresh_greeter, "-n", deployment_name, "--timeout", "120")
    url = cloud.view(deployment_name)["url"]

    def greeting() -> str:
        return httpx.post(f"{url}/greet", json={"name": "Ada"}, timeout=60, trust_env=False).text

    assert greeting() == "hello dear Ada"
    name, _, version = fresh_greeter.partition(":")
    source = bentoml.home / "bentos" / name / version / "src" / "service.py"
    source.write_text(source.read_text().replace("{name}", "{name}!"))
    bentoml("push", "-f", fresh_greeter)
    wait_for(lambda: greeting() == "hello dear Ada!")


def test_a_deployment_without_a_name_gets_one(cloud, pushed_greeter):
    answer = created(
        cloud, pushed_greeter, None, services={"Greeter": {"scaling": {"min_replicas": 0}}}
    ).json()
    assert answer["name"].startswith("greeter-")
    assert cloud.http.delete(f"/api/v2/deployments/{answer['name']}").json()["name"] == answer["name"]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"name": "Capital"}, "cannot be a deployment's name"),
        ({"name": "a" * 64}, "cannot be a deployment's name"),
        ({"name": "line\n"}, "cannot be a deployment's name"),
        ({"bento": "greeter"}, "no tag of a Bento"),
        ({"dev": True, "canary": {"versions": {"b": {"bento": "g:v", "weight": 5}}}}, "no canaries"),
        ({"secrets": ["s"]}, "no secret 's'"),
        ({"envs": [{"name": "1X", "value": ""}]}, "not a name of an environment variable"),
        ({"services": {"Other": {}}}, "no service 'Other'"),
        ({"envs": [{"name": "A", "value": "x\0y"}]}, "NUL"),
        ({"services": {"Greeter": {"instance_type": "huge"}}}, "no instance type 'huge'"),
        ({"services": {"Greeter": {"scaling": {"min_replicas": 3, "max_replicas": 2}}}}, "larger than"),
        ({"services": {"Greeter": {"scaling": {"min_replicas": -1}}}}, "min_replicas"),
        ({"services": {"Greeter": {"deployment_strategy": "Hope"}}}, "RollingUpdate"),
        ({"services": {"Greeter": {"config_overrides": {"traffic": {"concurrency": 0}}}}}, "concurrency"),
        (
            {"canary": {"versions": {"main": {"bento": "greeter:v2", "weight": 5}}}},
            "cannot be a canary's name",
        ),
        ({"canary": {"versions": {"b": {"bento": "greeter", "weight": 5}}}}, "no tag of a Bento"),
        (
            {"canary": {"versions": {name: {"bento": "greeter:v2", "weight": 60} for name in "ab"}}},
            "120 together",
        ),
        ({"canary": {"route_type": "header", "versions": {"b": {"bento": "g:v", "weight": 5}}}}, "route_by"),
    ],
)
def test_what_cannot_be_is_refused_in_words_before_anything_is_made(cloud, pushed_greeter, fields, complaint):
    before = cloud.http.get("/api/v2/deployments").json()["total"]
    answer = cloud.http.post(
        "/api/v2/deployments", json={"name": "refused", "bento": pushed_greeter, **fields}
    )
    assert answer.status_code == 400
    assert complaint in answer.json()["error"]
    assert cloud.http.get("/api/v2/deployments").json()["total"] == before


def test_a_bento_that_is_not_there_or_not_uploaded_cannot_be_deployed(cloud):
    assert created(cloud, "nobody:v1", "refused").status_code == 404
    cloud.http.post("/api/v1/bento_repositories", json={"name": "pending"}).raise_for_status()
    body = {"version": "v1", "manifest": None}
    cloud.http.post("/api/v1/bento_repositories/pending/bentos", json=body).raise_for_status()
    answer = created(cloud, "pending:v1", "refused")
    assert answer.status_code == 409
    assert "not uploaded" in answer.json()["error"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"no json", b'{"name": 3}', b'{"name": "\\ud800"}', b"[" * 100_000]
)
def test_a_body_that_is_no_deployment_is_a_400(cloud, body):
    answer = cloud.http.post("/api/v2/deployments", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_instance_types_fit_this_machine(bentoml, cloud):
    assert "cpu.1" in bentoml("deployment", "list-instance-types").stdout
    answer = cloud.http.get("/api/v1/instance_types").json()
    assert answer[0]["config"]["resources"]["requests"] == {"cpu": "500m", "memory": "2048Mi"}


def test_another_cluster_is_a_404_and_the_only_one_is_not(cloud):
    assert cloud.http.get("/api/v2/deployments", params={"cluster": "mars"}).status_code == 404
    for name in ("", "default"):
        assert cloud.http.get("/api/v2/deployments", params={"cluster": name}).status_code == 200


def test_a_terminated_deployment_is_started_again_with_its_url(cloud, pushed_greeter, deployment_name):
    created(cloud, pushed_greeter, deployment_name).raise_for_status()
    url = cloud.wait_until(deployment_name, "running")["url"]
    cloud.http.post(f"/api/v2/deployments/{deployment_name}/terminate").raise_for_status()
    cloud.wait_until(deployment_name, "terminated")
    cloud.http.post(f"/api/bj/v1/deployments/{deployment_name}/start").raise_for_status()
    assert cloud.wait_until(deployment_name, "running")["url"] == url
    assert httpx.post(f"{url}/greet", json={"name": "Bo"}, timeout=60).text == "hello dear Bo"


def test_a_void_update_starts_a_terminated_deployment_as_it_was(cloud, pushed_greeter, deployment_name):
    services = {"Greeter": {"scaling": {"min_replicas": 0}}}
    created(cloud, pushed_greeter, deployment_name, services=services).raise_for_status()
    cloud.http.post(f"/api/v2/deployments/{deployment_name}/terminate").raise_for_status()
    cloud.wait_until(deployment_name, "terminated")
    cloud.http.put(f"/api/v2/deployments/{deployment_name}/void_update").raise_for_status()
    assert cloud.wait_until(deployment_name, "scaled-to-zero")["revision"] == 1


def test_an_on_demand_function_starts_when_it_is_called(cloud, pushed_greeter, deployment_name):
    services = {"Greeter": {"scaling": {"min_replicas": 0, "max_replicas": 1}}}
    envs = [{"name": "GREETING", "value": "hi"}]
    created(cloud, pushed_greeter, deployment_name, services=services, envs=envs).raise_for_status()
    view = cloud.wait_until(deployment_name, "scaled-to-zero")
    assert (view["mode"], view["ready"]) == ("on-demand", 0)
    answer = httpx.post(f"{view['url']}/greet", json={"name": "Cy"}, timeout=60)
    assert answer.text == "hi dear Cy"
    assert cloud.view(deployment_name)["last_cold_start"]["seconds"] > 0


def test_a_protected_deployment_follows_the_tokens(cloud, pushed_greeter, deployment_name, wait_for):
    services = {"Greeter": {"scaling": {"min_replicas": 0}}}
    created(
        cloud, pushed_greeter, deployment_name, access_authorization=True, services=services
    ).raise_for_status()
    url = cloud.wait_until(deployment_name, "scaled-to-zero")["url"]

    def call(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.post(f"{url}/greet", json={"name": "Di"}, headers=headers, timeout=60).status_code

    made = cloud.http.post("/api/v1/api_tokens", json={"name": "caller", "scopes": ["read_cluster"]}).json()
    assert call("wrong") == 401
    assert call(cloud.token) == 200
    wait_for(lambda: call(made["token"]) == 200)
    cloud.http.delete(f"/api/v1/api_tokens/{made['uid']}").raise_for_status()
    wait_for(lambda: call(made["token"]) == 401)


def test_who_may_not_call_a_deployment_does_not_wake_it(cloud, pushed_greeter, deployment_name, wait_for):
    fields = {"access_authorization": True, "services": {"Greeter": {"scaling": {"min_replicas": 0}}}}
    created(cloud, pushed_greeter, deployment_name, **fields).raise_for_status()
    url = cloud.wait_until(deployment_name, "scaled-to-zero")["url"]
    assert httpx.post(f"{url}/greet", json={"name": "Eve"}, timeout=60).status_code == 401
    with pytest.raises(AssertionError, match="did not happen"):
        wait_for(lambda: cloud.view(deployment_name)["wanted"], 0.5)


def test_the_log_of_the_image_build_and_the_instances_come_over_websockets(
    cloud, bentoml, pushed_greeter, deployment_name
):
    created(cloud, pushed_greeter, deployment_name).raise_for_status()
    cloud.wait_until(deployment_name, "running")
    printed = bentoml.python(
        "import base64, threading\n"
        "from bentoml._internal.configuration.containers import BentoMLContainer as container\n"
        "client = container.rest_api_client.get().v2\n"
        f"pod = client.get_deployment_image_builder_pod({deployment_name!r})\n"
        "pieces = client.tail_logs(cluster_name='default', namespace='', pod_name=pod.name,\n"
        "                          container_name='builder', stop_event=threading.Event())\n"
        "print(''.join(base64.b64decode(piece).decode() for piece in pieces))\n"
        f"pods = client.list_deployment_pods({deployment_name!r})\n"
        "print('PODS', [pod.pod_status.status for pod in pods])\n"
    )
    assert "Python 3" in printed
    assert printed.endswith("PODS ['Running']")


def test_a_list_is_a_page_and_tells_what_has_changed_since(cloud, pushed_greeter, deployment_name):
    body = {
        "name": deployment_name,
        "bento": pushed_greeter,
        "services": {"Greeter": {"scaling": {"min_replicas": 0}}},
    }
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    cloud.wait_until(deployment_name, "scaled-to-zero")

    def listed(**params) -> list[dict]:
        answer = cloud.http.get("/api/v2/deployments", params={"search": deployment_name, **params})
        return answer.raise_for_status().json()["items"]

    (first,) = listed()
    assert first == cloud.http.get(f"/api/v2/deployments/{deployment_name}").json()
    assert (first["status"], listed()) == ("scaled-to-zero", [first])
    labelled = {**body, "labels": [{"key": "team", "value": "research"}]}
    cloud.http.put(f"/api/v2/deployments/{deployment_name}", json=labelled).raise_for_status()
    assert listed()[0]["labels"] == labelled["labels"]
    cloud.http.post(f"/api/v2/deployments/{deployment_name}/terminate").raise_for_status()
    cloud.wait_until(deployment_name, "terminated")
    assert listed()[0]["status"] == "terminated"
    assert listed(count=0) == []
    assert listed(start=1) == []
