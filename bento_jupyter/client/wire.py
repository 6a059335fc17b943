"""What the `bentoml` client's schemas say, in our vocabulary; the way there is `DeploymentSpec.to_wire`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..spec import OWNER_LABEL, DeploymentSpec, Scaling, Status, mode_of
from ..views import DeploymentView

__all__ = ["read_bytes", "read_cpus", "read_spec", "read_view"]


@dataclass(frozen=True)
class _Asked:
    """What the wire says was asked of a deployment, where its schema hides it."""

    bento: str
    config: Any
    service: Any
    least: int
    most: int
    idle_seconds: int | None
    traffic: dict[str, Any]

    @classmethod
    def of(cls, schema: Any) -> _Asked:
        """Of the main target of the newest revision."""
        targets = schema.latest_revision.targets if schema.latest_revision is not None else []
        target = next((item for item in targets if item.name == "main"), targets[0] if targets else None)
        config = target.config if target is not None else None
        service = next(iter(config.services.values()), None) if config is not None else None
        scaling = service.scaling if service is not None else None
        least = scaling.min_replicas if scaling is not None and scaling.min_replicas is not None else 1
        most = scaling.max_replicas if scaling is not None and scaling.max_replicas is not None else 1
        policy = scaling.policy if scaling is not None else None
        bento = target.bento if target is not None else None
        return cls(
            bento=f"{bento.repository.name}:{bento.version}" if bento is not None else "",
            config=config,
            service=service,
            least=least,
            most=max(1, least, most),
            idle_seconds=policy.scale_down_stabilization_window if policy is not None else None,
            traffic=((service.config_overrides or {}) if service is not None else {}).get("traffic") or {},
        )


def read_spec(document: Mapping[str, Any]) -> DeploymentSpec:
    """What was asked of a deployment.

    Args:
        document: The cloud's answer as it came: the client's schemas drop what they do not know.
    """
    revision = document.get("latest_revision") or {}
    targets = {str(item["name"]): item for item in revision.get("targets") or []}
    main = targets.pop("main", None) or (targets.popitem()[1] if targets else {})
    config = dict(main.get("config") or {})
    bento = main.get("bento")
    routing = (document.get("manifest") or {}).get("routing") or {}
    weights = routing.get("weights") or {}
    versions = {
        name: _canary(config, target, weights.get(name, 0))
        for name, target in targets.items()
        if target.get("bento")
    }
    canary = {**routing, "versions": versions} if versions else None
    return DeploymentSpec.of_wire(
        name=str(document["name"]),
        bento=_tag(bento),
        config={**config, "canary": canary},
        labels={item["key"]: item["value"] for item in document.get("labels") or []},
        entry=_entry(bento, config),
    )


def _tag(bento: Any) -> str:
    return f"{bento['repository']['name']}:{bento['version']}" if bento else ""


def _entry(bento: Any, config: Mapping[str, Any]) -> str:
    """Name of the entry service: as the Bento says, else the first."""
    services = config.get("services") or {}
    named = ((bento or {}).get("manifest") or {}).get("entry_service") or ""
    return named if named in services else next(iter(services), "")


def _canary(main: Mapping[str, Any], target: Mapping[str, Any], weight: float) -> dict[str, Any]:
    """A canary's target as it was asked for: without what is as in the main version."""
    config = target.get("config") or {}
    services = config.get("services") or {}
    of_main = main.get("services") or {}
    return {
        "bento": _tag(target["bento"]),
        "weight": weight,
        **{key: config[key] for key in ("envs", "secrets") if config.get(key) != main.get(key)},
        "services": {name: each for name, each in services.items() if each != of_main.get(name)},
    }


def read_view(schema: Any) -> DeploymentView:
    """How a deployment is, as far as the wire says: it has no reasons, instances or counters.

    Args:
        schema: The client's `DeploymentFullSchema`.
    """
    asked = _Asked.of(schema)
    config, service = asked.config, asked.service
    status = Status(schema.status) if schema.status in set(Status) else Status.UNKNOWN
    urls = getattr(schema, "urls", None) or []
    labels = {item.key: item.value for item in schema.labels}
    return DeploymentView(
        name=schema.name,
        status=status,
        healthy=status in (Status.RUNNING, Status.SCALED_TO_ZERO),
        mode=mode_of(asked.least),
        url=urls[0] if urls else None,
        bento=asked.bento,
        protected=bool(config and config.access_authorization),
        scaling=Scaling(
            min=asked.least,
            max=asked.most,
            concurrency=asked.traffic.get("concurrency"),
            idle_seconds=asked.idle_seconds,
        ),
        instance_type=(service.instance_type if service is not None else None) or "",
        envs=[item.name for item in (config.envs or [])] if config is not None else [],
        labels=labels,
        created_at=schema.created_at,
        updated_at=schema.updated_at,
        creator=schema.creator.name,
        owner=labels.get(OWNER_LABEL, ""),
    )


def read_cpus(quantity: str | None) -> float:
    """CPUs of a Kubernetes quantity: `500m` -> 0.5."""
    if not quantity:
        return 0.0
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def read_bytes(quantity: str | None) -> int:
    """Bytes of a Kubernetes quantity: `2Gi` -> 2147483648."""
    found = re.fullmatch(r"([0-9.]+)([KMGT]i?)?", quantity or "0")
    if found is None:
        return 0
    power = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}[(found.group(2) or "")[:1]]
    return int(float(found.group(1)) * (1024 if (found.group(2) or "").endswith("i") else 1000) ** power)
