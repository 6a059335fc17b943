"""`/api/bj/v1`: the cloud as a whole, the change feed, and logs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator

import httpx


def events(response: httpx.Response) -> Iterator[dict]:
    return (json.loads(line) for line in response.iter_lines() if line)


def test_the_cloud_describes_itself(cloud):
    view = cloud.http.get("/api/bj/v1/cloud").json()
    assert view["endpoint"] == cloud.endpoint
    assert view["pid"] == cloud.process.pid
    os.kill(view["pid"], 0)


def test_a_deployment_made_by_another_client_is_told_within_a_second(
    cloud, bentoml, pushed_greeter, deployment_name
):
    with cloud.http.stream("GET", "/api/bj/v1/events") as feed:
        lines = feed.iter_lines()
        assert next(lines) == "", "the first line says that the feed is being listened to"
        body = {
            "name": deployment_name,
            "bento": pushed_greeter,
            "services": {"Greeter": {"scaling": {"min_replicas": 0}}},
        }
        asked = time.monotonic()
        cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
        event = next(
            found for line in lines if line and (found := json.loads(line))["name"] == deployment_name
        )
        assert time.monotonic() - asked < 1
    assert event["kind"] == "deployment"


def test_the_feed_goes_on_where_the_listener_left_off(cloud, pushed_greeter, deployment_name):
    known = cloud.http.get("/api/bj/v1/cloud").json()["event_id"]
    body = {
        "name": deployment_name,
        "bento": pushed_greeter,
        "services": {"Greeter": {"scaling": {"min_replicas": 0}}},
    }
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    cloud.http.delete(f"/api/v2/deployments/{deployment_name}").raise_for_status()
    seen = []
    with cloud.http.stream("GET", "/api/bj/v1/events", params={"after": known}) as feed:
        for event in events(feed):
            seen.append(event)
            if event["kind"] == "deployment-deleted" and event["name"] == deployment_name:
                break
    ids = [event["id"] for event in seen]
    assert ids == list(range(known + 1, known + 1 + len(ids))), "no event twice, none left out"


def test_logs_are_read_and_followed(cloud, pushed_greeter, deployment_name):
    cloud.http.post(
        "/api/v2/deployments", json={"name": deployment_name, "bento": pushed_greeter}
    ).raise_for_status()
    instance = cloud.wait_until(deployment_name, "running")["instances"][0]["id"]
    path = f"/api/bj/v1/deployments/{deployment_name}/logs"
    lines = cloud.http.get(path, params={"source": instance}).json()["lines"]
    assert {line["source"] for line in lines} == {instance}
    assert any("Greeter" in line["text"] for line in lines)
    assert len(cloud.http.get(path, params={"lines": 1}).json()["lines"]) == 1
    with cloud.http.stream("GET", path, params={"follow": "true", "source": instance}) as log:
        assert next(events(log))["source"] == instance


def test_errors_have_a_message(cloud):
    for path in ("/api/bj/v1/deployments/nobody", "/api/bj/v1/deployments/nobody/logs", "/api/bj/v1/nothing"):
        answer = cloud.http.get(path)
        assert answer.status_code == 404
        assert set(answer.json()) == {"message", "hint"}
    for after in ("x", "9" * 19, "9" * 5000):
        assert cloud.http.get("/api/bj/v1/events", params={"after": after}).status_code == 400
