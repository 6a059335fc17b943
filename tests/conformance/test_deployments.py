"""Rows D1-D7 and D9 of the contract: deployments, from their creation to their end."""

from __future__ import annotations

import json

import httpx
import pytest
import yaml

IDLE = ["--scaling-min", "0", "--scaling-max", "1"]


def service_of(config: dict) -> dict:
    return config["services"]["Echo"]


def shown(bentoml, name: str) -> dict:
    return json.loads(bentoml("deployment", "get", name, "-o", "json").stdout)


def listed(bentoml, *options: str) -> list[str]:
    return [row["name"] for row in json.loads(bentoml("deployment", "list", "-o", "json", *options).stdout)]


def call(deployment: dict, endpoint: str = "echo", **arguments: str) -> str:
    answer = httpx.post(f"{deployment['urls'][0]}/{endpoint}", json=arguments, timeout=90, trust_env=False)
    return answer.raise_for_status().text


def test_a_project_folder_is_built_pushed_deployed_and_answers(cloud, bentoml, project, name, status):
    """`bentoml deploy DIR`: B1-B9, D1, D2 until it is ready."""
    done = bentoml("deploy", ".", "-n", name, *IDLE, "--timeout", "120", cwd=project)
    assert "is ready" in done.stdout
    assert f"/deployments/{name}" in done.stdout
    assert call(status(name, "scaled-to-zero", "running"), text="abc") == "ABC"


def test_a_tag_is_deployed_with_all_flags_and_shown_with_them(bentoml, echo, name):
    """`bentoml deploy TAG`."""
    flags = ["--env", "GREETING=hi", "--label", "team=conformance", "--strategy", "RampedSlowRollout"]
    more = ["--access-authorization", "true", "--no-wait"]
    bentoml("deploy", echo, "-n", name, "--scaling-min", "0", "--scaling-max", "3", *flags, *more)
    found = shown(bentoml, name)
    assert (found["name"], found["bento"]) == (name, echo)
    config = found["config"]
    assert config["access_authorization"] is True
    assert config["envs"] == [{"name": "GREETING", "value": "hi"}]
    scaling = service_of(config)["scaling"]
    assert (scaling["min_replicas"], scaling["max_replicas"]) == (0, 3)
    assert service_of(config)["deployment_strategy"] == "RampedSlowRollout"
    assert len(found["endpoint_urls"]) == 1


def test_a_bare_name_means_the_newest_version(bentoml, echo, name):
    """B4: `bentoml deployment create NAME`."""
    bentoml("deployment", "create", echo.partition(":")[0], "-n", name, *IDLE, "--no-wait")
    assert shown(bentoml, name)["bento"].startswith("echo:")


@pytest.mark.parametrize("form", ["file", "dict"])
def test_a_configuration_is_deployed_with_what_flags_cannot_say(bentoml, echo, name, tmp_path, form):
    service = {
        "scaling": {"min_replicas": 0, "max_replicas": 2, "policy": {"scale_down_stabilization_window": 7}},
        "cold_start_timeout": 99,
        "config_overrides": {"traffic": {"timeout": 33, "concurrency": 4, "external_queue": True}},
        "envs": [{"name": "DEPTH", "value": "service"}],
    }
    config = {"name": name, "bento": echo, "services": {"Echo": service}}
    if form == "file":
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
        bentoml("deployment", "create", "-f", str(tmp_path / "config.yaml"), "--no-wait")
    else:
        bentoml("deployment", "create", "--config-dict", json.dumps(config), "--no-wait")
    found = service_of(shown(bentoml, name)["config"])
    assert found["scaling"]["policy"]["scale_down_stabilization_window"] == 7
    assert found["cold_start_timeout"] == 99
    assert found["config_overrides"]["traffic"] == {"timeout": 33, "concurrency": 4, "external_queue": True}
    assert found["envs"] == [{"name": "DEPTH", "value": "service"}]


def test_a_deployment_without_a_name_gets_one_of_its_bento(cloud, bentoml, echo):
    """D1 with `name: null`."""
    before = set(listed(bentoml))
    bentoml("deployment", "create", echo, *IDLE, "--no-wait")
    (made,) = set(listed(bentoml)) - before
    assert made.startswith("echo-")
    bentoml("deployment", "delete", made)


def test_deployments_are_listed_by_label_search_and_cluster(cloud, bentoml, echo, name):
    """D3, and its pages."""
    bentoml("deploy", echo, "-n", name, *IDLE, "--label", f"team={name}", "--no-wait")
    assert name in listed(bentoml)
    assert listed(bentoml, "--label", f"team={name}") == [name]
    assert listed(bentoml, "--label", "team=nobody-at-all") == []
    assert name in listed(bentoml, "--search", name)
    assert name not in listed(bentoml, "--search", "no-such-name-anywhere")
    cluster = shown(bentoml, name)["cluster"]
    assert name in listed(bentoml, "--cluster", cluster)
    page = cloud.http.get("/api/v2/deployments", params={"start": 0, "count": 1}).json()
    assert (len(page["items"]), page["count"]) == (1, 1)
    assert page["total"] >= 1
    empty = cloud.http.get("/api/v2/deployments", params={"start": page["total"], "count": 5}).json()
    assert (empty["items"], empty["total"]) == ([], page["total"])


def test_an_update_changes_what_it_names_and_keeps_the_rest(cloud, bentoml, echo, name):
    """D4: a merge by the client; labels null = as they are."""
    bentoml(
        "deploy",
        echo,
        "-n",
        name,
        *IDLE,
        "--label",
        f"team={name}",
        "--env",
        "A=1",
        "--no-wait",
    )
    bentoml("deployment", "update", name, "--scaling-max", "4")
    found = shown(bentoml, name)["config"]
    assert service_of(found)["scaling"]["max_replicas"] == 4
    assert service_of(found)["scaling"]["min_replicas"] == 0
    assert found["envs"] == [{"name": "A", "value": "1"}]
    assert listed(bentoml, "--label", f"team={name}") == [name]
    bentoml("deployment", "update", name, "--env", "B=2")
    assert shown(bentoml, name)["config"]["envs"] == [{"name": "B", "value": "2"}], "lists are replaced"
    missing = bentoml("deployment", "update", f"{name}-not", "--scaling-max", "4", check=False)
    assert missing.returncode == 1


def test_an_apply_makes_a_deployment_and_later_replaces_all_of_it(cloud, bentoml, echo, name, tmp_path):
    """`bentoml deployment apply`; the client wants the cluster named for one that is there."""
    file = tmp_path / "config.yaml"
    config = {"name": name, "bento": echo, "services": {"Echo": {"scaling": {"min_replicas": 0}}}}
    file.write_text(yaml.safe_dump({**config, "envs": [{"name": "A", "value": "1"}]}))
    bentoml("deployment", "apply", "-f", str(file))
    found = shown(bentoml, name)
    assert found["config"]["envs"] == [{"name": "A", "value": "1"}]
    again = {**config, "cluster": found["cluster"], "services": {"Echo": {"scaling": {"max_replicas": 2}}}}
    again["services"]["Echo"]["scaling"]["min_replicas"] = 0
    file.write_text(yaml.safe_dump(again))
    bentoml("deployment", "apply", "-f", str(file))
    config = shown(bentoml, name)["config"]
    assert not config["envs"], "what is not mentioned is reset"
    assert service_of(config)["scaling"]["max_replicas"] == 2


def test_a_deployment_is_terminated_started_again_and_deleted(cloud, bentoml, echo, name, status):
    """D6, D5, D7. `bentoml deployment start` fails in the client before it calls: here its call is made."""
    bentoml("deployment", "create", echo, "-n", name, *IDLE, "--no-wait")
    url = status(name, "scaled-to-zero")["urls"]
    bentoml("deployment", "terminate", name, "--wait")
    assert status(name, "terminated", timeout=1)
    client = bentoml("deployment", "start", name, check=False)
    assert client.returncode != 0
    assert "verify() must be called" in client.stdout + client.stderr
    assert cloud.http.put(f"/api/v2/deployments/{name}/void_update").status_code == 200
    assert status(name, "scaled-to-zero", "running")["urls"] == url
    bentoml("deployment", "delete", name)
    assert cloud.http.get(f"/api/v2/deployments/{name}").status_code == 404
    assert bentoml("deployment", "get", name, check=False).returncode == 1


def test_the_sdk_creates_waits_calls_and_deletes(sdk, echo, name):
    """`bentoml.deployment` of the SDK."""
    printed = sdk(
        "import bentoml\n"
        f"made = bentoml.deployment.create(bento={echo!r}, name={name!r}, scaling_min=0)\n"
        "print(made.wait_until_ready(timeout=120, check_interval=1))\n"
        "print(made.get_status().status)\n"
        "print(made.get_client().echo(text='sdk'))\n"
        "print(len(made.get_endpoint_urls()), made.get_bento())\n"
        f"bentoml.deployment.update(name={name!r}, scaling_max=2)\n"
        f"print(bentoml.deployment.get({name!r}).get_config().services['Echo'].scaling.max_replicas)\n"
        f"print({name!r} in [each.name for each in bentoml.deployment.list()])\n"
        f"bentoml.deployment.terminate({name!r}, wait=True)\n"
        f"bentoml.deployment.delete({name!r})\n"
        f"print({name!r} in [each.name for each in bentoml.deployment.list()])\n"
    )
    said = ["0", "scaled-to-zero", "SDK", f"1 {echo}", "2", "True", "False"]
    assert [line for line in printed.replace("╯", "\n").splitlines() if line in said] == said, printed


def test_instance_types_are_listed_and_one_that_is_not_is_refused(bentoml, echo, name):
    """D9."""
    table = bentoml("deployment", "list-instance-types", "-o", "json").stdout
    types = json.loads(table)
    assert types
    assert types[0]["name"]
    refused = bentoml(
        "deployment", "create", echo, "-n", name, "--instance-type", "no-such", "--no-wait", check=False
    )
    assert refused.returncode == 1
    assert "no-such" in refused.stdout + refused.stderr


def test_a_deployment_that_cannot_start_ends_the_wait_with_a_failure(bentoml, name, tmp_path):
    """1.6: the client's exit code follows the status."""
    (tmp_path / "service.py").write_text(
        "import bentoml\n\n@bentoml.service\nclass Broken:\n"
        "    def __init__(self):\n        raise RuntimeError('on purpose')\n\n"
        "    @bentoml.api\n    def x(self) -> str:\n        return ''\n"
    )
    (tmp_path / "bentofile.yaml").write_text(
        "service: service:Broken\ninclude: [service.py]\npython: {lock_packages: false}\n"
    )
    done = bentoml("deploy", ".", "-n", name, "--timeout", "120", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert 'Current status: "failed"' in done.stdout


def test_protected_endpoints_want_a_token(cloud, bentoml, echo, name, status):
    bentoml("deployment", "create", echo, "-n", name, *IDLE, "--access-authorization", "true", "--no-wait")
    url = status(name, "scaled-to-zero")["urls"][0]
    assert httpx.post(f"{url}/echo", json={"text": "a"}, trust_env=False).status_code == 401
    headers = {"Authorization": f"Bearer {cloud.token}"}
    answer = httpx.post(f"{url}/echo", json={"text": "a"}, headers=headers, timeout=90, trust_env=False)
    assert answer.text == "A"


@pytest.mark.parametrize(
    "strategy", ["RollingUpdate", "Recreate", "RampedSlowRollout", "BestEffortControlledRollout"]
)
def test_an_update_is_rolled_out_by_each_strategy(bentoml, echo, name, status, eventually, strategy):
    bentoml("deployment", "create", echo, "-n", name, "--strategy", strategy, "--env", "MARK=1", "--no-wait")
    found = status(name, "running")
    first = call(found, "digest", name="MARK")
    bentoml("deployment", "update", name, "--env", "MARK=2")

    def changed() -> bool:
        answer = httpx.post(f"{found['urls'][0]}/digest", json={"name": "MARK"}, timeout=90, trust_env=False)
        if strategy != "Recreate":
            assert answer.status_code == 200
        return answer.status_code == 200 and answer.text != first

    assert eventually(changed)
    assert status(name, "running")
