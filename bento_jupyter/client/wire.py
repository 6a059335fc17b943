"""What the `bentoml` client's schemas say, in our vocabulary; the way there is `DeploymentSpec.to_wire`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..spec import OWNER_LABEL, DeploymentSpec, Status
from ..views import DeploymentView

__all__ = ["read_bytes", "read_cpus", "read_entry", "read_spec", "read_view"]


def read_spec(document: Mapping[str, Any]) -> DeploymentSpec:
    """What was asked of a deployment.

    Args:
        document: The cloud's answer as it came: the client's schemas drop what they do not know.
    """
    main, targets = _targets(document)
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


def read_entry(document: Mapping[str, Any]) -> str:
    """Name of the entry service of a deployment's main version; argument as of `read_spec`."""
    main, _ = _targets(document)
    return _entry(main.get("bento"), main.get("config") or {})


def _targets(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The main target of the newest revision, and the others by name."""
    revision = document.get("latest_revision") or {}
    targets = {str(item["name"]): item for item in revision.get("targets") or []}
    main: dict[str, Any] = targets.pop("main", None) or (targets.popitem()[1] if targets else {})
    return main, targets


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


def read_view(document: Mapping[str, Any]) -> DeploymentView:
    """How a deployment is, as far as the wire says: it has no reasons, instances or counters.

    Args:
        document: The cloud's answer as it came.
    """
    spec = read_spec(document)
    said = str(document.get("status") or "")
    status = Status(said) if said in set(Status) else Status.UNKNOWN
    urls = document.get("urls") or []
    return DeploymentView(
        name=spec.name,
        status=status,
        healthy=status in (Status.RUNNING, Status.SCALED_TO_ZERO),
        mode=spec.mode,
        url=urls[0] if urls else None,
        bento=spec.bento,
        protected=spec.protected,
        scaling=spec.scaling,
        instance_type=spec.instance_type or "",
        envs=list(spec.envs),
        labels=spec.labels,
        created_at=document["created_at"],
        updated_at=document.get("updated_at"),
        creator=(document.get("creator") or {}).get("name") or "",
        owner=spec.labels.get(OWNER_LABEL, ""),
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
