"""`/api/bj/v1`: revisions and the way back, restarts, events, instances, metrics, and searching logs."""

from __future__ import annotations

import httpx
import pytest

from bento_jupyter.insight import MetricsView


def create(cloud, name: str, bento: str, *, least: int = 1, **more) -> None:
    body = {
        "name": name,
        "bento": bento,
        "services": {"Greeter": {"scaling": {"min_replicas": least}}},
        **more,
    }
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()


def ours(cloud, name: str, what: str, **params) -> dict:
    return cloud.http.get(f"/api/bj/v1/deployments/{name}/{what}", params=params).raise_for_status().json()


def greet(cloud, name: str) -> str:
    view = cloud.view(name)
    with httpx.Client(trust_env=False, timeout=60) as http:
        return http.post(f"{view['url']}/greet", json={"name": "you"}).raise_for_status().text


def test_a_revision_is_told_and_taken_up_again(cloud, pushed_greeter, deployment_name, wait_for):
    name = deployment_name
    create(cloud, name, pushed_greeter, envs=[{"name": "GREETING", "value": "good-morning"}])
    cloud.wait_until(name, "running")
    body = {"bento": pushed_greeter, "envs": [{"name": "GREETING", "value": "good-night"}]}
    cloud.http.put(f"/api/v2/deployments/{name}", json=body).raise_for_status()
    wait_for(lambda: greet(cloud, name) == "good-night dear you")
    rollback = f"/api/bj/v1/deployments/{name}/rollback"
    back = cloud.http.post(rollback, json={"revision": 1}).raise_for_status().json()
    assert back["revision"] == 3
    wait_for(lambda: greet(cloud, name) == "good-morning dear you")

    revisions = ours(cloud, name, "revisions")["revisions"]
    assert [(each["number"], each["active"], each["note"]) for each in revisions] == [
        (3, True, "back to revision 1"),
        (2, False, ""),
        (1, False, ""),
    ]
    assert revisions[0]["changes"] == [
        {"field": "envs.GREETING", "change": "changed", "before": None, "after": None}
    ]
    assert "good-" not in str(revisions)
    assert cloud.http.post(rollback, json={"revision": 3}).status_code == 409
    assert cloud.http.post(rollback, json={"revision": 4}).status_code == 404
    assert cloud.http.post(rollback, json={"revision": "x"}).status_code == 400

    events = ours(cloud, name, "events")["events"]
    assert [event["id"] for event in events] == sorted((event["id"] for event in events), reverse=True)
    assert {event["revision"] for event in events} == {1, 2, 3}
    assert all(event["message"] for event in events)
    assert any("is ready after" in event["message"] for event in events)
    assert ours(cloud, name, "events", count=1)["events"] == events[:1]


def test_a_restart_replaces_the_instances_without_a_gap(cloud, pushed_greeter, deployment_name, wait_for):
    name = deployment_name
    create(cloud, name, pushed_greeter)
    before = cloud.wait_until(name, "running")["instances"][0]["id"]
    cloud.http.post(f"/api/bj/v1/deployments/{name}/restart").raise_for_status()

    def replaced() -> bool:
        assert greet(cloud, name) == "hello dear you"
        ids = [each["id"] for each in ours(cloud, name, "instances")["instances"] if each["state"] == "ready"]
        return bool(ids) and before not in ids

    wait_for(replaced)
    assert cloud.view(name)["revision"] == 1


def test_instances_are_measured(cloud, pushed_greeter, deployment_name, wait_for):
    create(cloud, deployment_name, pushed_greeter)
    cloud.wait_until(deployment_name, "running")

    def measured() -> dict | None:
        (instance,) = ours(cloud, deployment_name, "instances")["instances"]
        return instance if instance["cpu"] is not None else None

    instance = wait_for(measured)
    assert instance["state"] == "ready"
    assert instance["memory_bytes"] > 10 * 2**20
    assert instance["age_seconds"] > 0
    assert instance["restarts"] == 0
    assert list(instance["cold_start"]["phases"]) == ["process", "imports", "load", "ready"]


def test_metrics_tell_requests_latency_and_cold_starts(cloud, pushed_greeter, deployment_name, wait_for):
    name = deployment_name
    create(cloud, name, pushed_greeter, least=0)
    cloud.wait_until(name, "scaled-to-zero")
    assert MetricsView.model_validate(ours(cloud, name, "metrics")).latency == {}
    for _ in range(5):
        greet(cloud, name)
    with httpx.Client(trust_env=False) as http:
        assert http.post(f"{cloud.view(name)['url']}/greet", json={"nobody": 1}).status_code == 400
    metrics = wait_for(lambda: (found := ours(cloud, name, "metrics"))["requests"] == 6 and found)
    assert metrics["errors"] == 0
    assert metrics["ready"] == 1
    cold = metrics["cold_starts"][-1]
    assert cold["instance"] == cloud.view(name)["instances"][0]["id"]
    assert 0 < metrics["latency"]["p50"] < metrics["latency"]["p99"]
    assert metrics["latency"]["p99"] > cold["seconds"] / 2, "who waited for the cold start was slow"
    assert sum(point["requests"] for point in metrics["points"]) == 6
    minutes = ours(cloud, name, "metrics", step=60)
    assert (minutes["step"], sum(point["requests"] for point in minutes["points"])) == (60, 6)
    path = f"/api/bj/v1/deployments/{name}/metrics"
    assert cloud.http.get(path, params={"step": "7"}).status_code == 400


def test_logs_are_searched_by_text_pattern_and_time(cloud, pushed_greeter, deployment_name):
    name = deployment_name
    create(cloud, name, pushed_greeter)
    cloud.wait_until(name, "running")
    everything = ours(cloud, name, "logs", lines=1000)["lines"]
    found = ours(cloud, name, "logs", q="gREETER")["lines"]
    assert found == [line for line in everything if "greeter" in line["text"].lower()]
    assert found
    assert ours(cloud, name, "logs", q="^no.such[0-9]line$", regex=True)["lines"] == []
    pattern = ours(cloud, name, "logs", q="Greet(er|ing)", regex=True)["lines"]
    assert {line["text"] for line in found} <= {line["text"] for line in pattern}
    assert ours(cloud, name, "logs", since="2099-01-01T00:00:00Z")["lines"] == []
    path = f"/api/bj/v1/deployments/{name}/logs"
    assert cloud.http.get(path, params={"q": "(", "regex": "true"}).status_code == 400
    assert cloud.http.get(path, params={"since": "yesterday"}).status_code == 400
    hostile = {"q": "(a+)+$", "regex": "true"}
    assert cloud.http.get(path, params=hostile, timeout=5).status_code == 200


@pytest.mark.parametrize("call", ["rollback", "restart", "start"])
def test_what_changes_a_deployment_needs_one(cloud, call):
    answer = cloud.http.post(f"/api/bj/v1/deployments/nobody/{call}", json={"revision": 1})
    assert answer.status_code == 404
    assert set(answer.json()) == {"message", "hint"}
