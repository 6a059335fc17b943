"""Instance types on the wire (D9 of the contract)."""

from __future__ import annotations

from datetime import datetime, timezone

from starlette.requests import Request
from starlette.responses import Response

from ...views import InstanceType
from .calls import Call
from .context import cloud_of
from .exchange import answer
from .identity import require_cluster
from .schemas import ClusterQuery, ResourceInstance

__all__ = ["routes"]


async def list_all(request: Request) -> Response:
    """The sizes of instances that there are, as a bare array (D9)."""
    require_cluster(request.query_params.get("cluster"))
    return answer([_resource_instance(kind) for kind in cloud_of(request).controller.instance_types.offered])


def _resource_instance(kind: InstanceType) -> ResourceInstance:
    amounts = {"cpu": f"{round(kind.cpu * 1000)}m", "memory": f"{kind.memory_bytes // 1024**2}Mi"}
    if kind.gpu:
        amounts["gpu"] = str(kind.gpu)
    return ResourceInstance(
        uid=kind.name,
        name=kind.name,
        display_name=kind.name,
        description=kind.description,
        created_at=datetime(2020, 1, 1, tzinfo=timezone.utc),
        config={
            "group": "gpu" if kind.gpu else "cpu",
            "resources": {"requests": amounts, "limits": amounts},
            "price": kind.price,
            "node_selectors": {},
            "gpu_config": None,
        },
    )


routes = [
    Call("GET /api/v1/instance_types", list_all, query=ClusterQuery, answer=[ResourceInstance]),
]
