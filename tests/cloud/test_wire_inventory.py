"""`/api/bj/v1`: what the cloud has, and who uses it."""

from __future__ import annotations


def get(cloud, what: str, **params) -> dict:
    return cloud.http.get(f"/api/bj/v1/{what}", params=params).raise_for_status().json()


def test_packages_and_images_are_listed_with_who_uses_them(cloud, pushed_greeter, deployment_name):
    body = {"name": deployment_name, "bento": pushed_greeter}
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    view = cloud.wait_until(deployment_name, "running")

    bento = next(each for each in get(cloud, "bentos")["items"] if each["tag"] == pushed_greeter)
    assert deployment_name in bento["used_by"]
    assert (len(bento["digest"]), bento["status"]) == (64, "success")
    assert bento["size_bytes"] > 0

    models = get(cloud, "models")["items"]
    assert any(pushed_greeter in each["used_by"] for each in models)

    image = next(each for each in get(cloud, "images")["images"] if each["key"] == view["image"]["key"])
    assert deployment_name in image["used_by"]
    assert image["status"] == "success"
    assert image["size_bytes"] > 1000
    assert image["at"]
    lines = get(cloud, f"images/{image['key']}/log")["lines"]
    assert any(image["key"] in line["text"] for line in lines)
    assert get(cloud, f"images/{image['key']}/log", lines=1)["lines"] == lines[-1:]


def test_there_is_no_log_of_what_is_no_image(cloud):
    for key in ("0" * 24, "..", "%2e%2e%2fcloud"):
        assert cloud.http.get(f"/api/bj/v1/images/{key}/log").status_code == 404


def test_secrets_are_listed_by_name_only(cloud):
    body = {
        "name": "listed",
        "description": "",
        "content": {"type": "env", "items": [{"key": "KEY", "value": "hush-hush"}]},
    }
    cloud.http.post("/api/v1/org_secrets", json=body).raise_for_status()
    answer = cloud.http.get("/api/bj/v1/secrets")
    assert "listed" in answer.json()["items"]
    assert "hush-hush" not in answer.text
    assert "KEY" not in answer.text
    cloud.http.delete("/api/v1/org_secrets/listed").raise_for_status()


def test_sizes_of_instances_are_those_of_the_contract(cloud):
    ours = [each["name"] for each in get(cloud, "instance_types")["items"]]
    theirs = cloud.http.get("/api/v1/instance_types").raise_for_status().json()
    assert ours == [each["name"] for each in theirs]
