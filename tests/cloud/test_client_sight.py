"""What the package's own client asks of the cloud besides BentoCloud's calls."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bento_jupyter.client.cloud import Cloud
from bento_jupyter.client.deployment import Deployment
from bento_jupyter.errors import CloudError, ConflictError, InvalidRequestError, NotFoundError
from bento_jupyter.spec import utc_now


@pytest.fixture
def client(cloud) -> Cloud:
    return Cloud("embedded", cloud.endpoint, cloud.token, embedded=True)


def test_a_deployment_is_seen_and_changed_through_the_client(client, cloud, pushed_greeter, deployment_name):
    body = {"name": deployment_name, "bento": pushed_greeter}
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    deployment = Deployment(client, deployment_name)
    deployment.wait()
    assert "dear you" in str(deployment.call("greet", name="you"))
    cloud.http.put(
        f"/api/v2/deployments/{deployment_name}", json={**body, "labels": [{"key": "a", "value": "b"}]}
    )

    assert [(each.number, [change.field for change in each.changes]) for each in deployment.revisions()] == [
        (2, ["labels.a"]),
        (1, []),
    ]
    deployment.rollback(1)
    assert deployment.revisions()[0].note == "back to revision 1"
    with pytest.raises(ConflictError):
        deployment.rollback(3)
    with pytest.raises(NotFoundError):
        deployment.rollback(9)
    before = deployment.instances()[0].id
    assert before not in {each.id for each in deployment.restart().instances() if each.state == "ready"}

    assert deployment.events(count=3)[0].revision == 3
    metrics = deployment.metrics()
    assert metrics.requests == sum(point.requests for point in metrics.points) >= 1
    assert deployment.metrics(step=60).cold_starts[-1].phases
    assert deployment.logs(q="greeter")
    assert deployment.logs(q="^never$", regex=True) == []
    assert deployment.logs(since=utc_now() + timedelta(hours=1)) == []
    with pytest.raises(InvalidRequestError):
        deployment.logs(q="(", regex=True)
    assert any(deployment_name in image.used_by for image in client.images())


def test_another_cloud_has_none_of_it():
    elsewhere = Deployment(Cloud("far", "http://127.0.0.1:9", "token"), "iris")
    for ask in (elsewhere.revisions, elsewhere.metrics, elsewhere.events, lambda: elsewhere.rollback(1)):
        with pytest.raises(CloudError, match="offers no"):
            ask()
