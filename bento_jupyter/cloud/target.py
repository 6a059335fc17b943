"""What a deployment asks for, read from its record: what to run, how many, and how it is reached. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..spec import EndpointView, InstanceType, Scaling, Traffic
from .examples import endpoints_of
from .instance_types import DEFAULT_INSTANCE_TYPE, fitting_instance_type
from .settings import CloudSettings
from .store import BentoRecord, DeploymentRecord

__all__ = ["Blueprint", "Target", "read_target"]


@dataclass(frozen=True)
class Blueprint:
    """What an instance is made of. Instances with another blueprint than the wanted one are replaced.

    Attributes:
        bento: Tag of the Bento.
        bento_digest: Digest of what was pushed under that tag.
        service: Name of the service that it serves.
        envs: Environment variables, sorted.
        instance_type: Name of its instance type.
        restarts: How often instances were asked to be replaced by new ones.
    """

    bento: str
    bento_digest: str
    service: str
    envs: tuple[tuple[str, str], ...] = field(repr=False)
    instance_type: str
    restarts: int = 0

    def same_bento(self, other: Blueprint) -> bool:
        """True when both run the same content, and so in the same environment."""
        return (self.bento, self.bento_digest) == (other.bento, other.bento_digest)


@dataclass(frozen=True)
class Target:
    """All that a deployment asks for.

    Attributes:
        blueprint: What an instance is made of.
        scaling: How many.
        traffic: Limits of the request path.
        protected: Callers need a token.
        recreate: Old instances end before new ones start.
        endpoints: What the Bento can be asked.
    """

    blueprint: Blueprint
    scaling: Scaling
    traffic: Traffic
    protected: bool
    recreate: bool
    endpoints: list[EndpointView]


def read_target(record: DeploymentRecord, bento: BentoRecord | None, settings: CloudSettings) -> Target:
    """Read a deployment's record.

    Scaling, limits and instance type are those of the entry service: what it depends on runs in the same
    process.

    Args:
        record: The deployment.
        bento: Its Bento; None when it is gone.
        settings: The cloud's defaults.
    """
    config = record.config
    services: Mapping[str, Any] = config.get("services") or {}
    entry = (bento.entry_service if bento else "") or next(iter(services), "")
    wanted: Mapping[str, Any] = services.get(entry) or {}
    built = _built_config(bento, entry)
    traffic = {
        **(built.get("traffic") or {}),
        **((wanted.get("config_overrides") or {}).get("traffic") or {}),
    }
    bounds: Mapping[str, Any] = wanted.get("scaling") or {}
    policy: Mapping[str, Any] = bounds.get("policy") or {}
    least = _number(bounds.get("min_replicas"), 1)
    defaults = Traffic(cold_start_timeout=settings.cold_start_timeout)
    return Target(
        blueprint=Blueprint(
            bento=record.bento,
            bento_digest=bento.digest if bento else "",
            service=entry,
            envs=tuple(sorted({**_envs(config.get("envs")), **_envs(wanted.get("envs"))}.items())),
            instance_type=str(
                wanted.get("instance_type") or fitting_instance_type(built.get("resources") or {})
            ),
            restarts=record.restarts,
        ),
        scaling=Scaling(
            min=least,
            max=max(1, least, _number(bounds.get("max_replicas"), 1)),
            concurrency=traffic.get("concurrency"),
            idle_seconds=policy.get("scale_down_stabilization_window"),
            scale_up_seconds=policy.get("scale_up_stabilization_window") or 0,
        ),
        traffic=Traffic(
            timeout=traffic.get("timeout") or defaults.timeout,
            cold_start_timeout=wanted.get("cold_start_timeout") or defaults.cold_start_timeout,
        ),
        protected=bool(config.get("access_authorization")),
        recreate=wanted.get("deployment_strategy") == "Recreate",
        endpoints=endpoints_of(bento.manifest) if bento else [],
    )


def instance_size(name: str, offered: list[InstanceType]) -> InstanceType:
    """The instance type of this name; the default one when this machine does not offer it (any more)."""
    by_name = {kind.name: kind for kind in offered}
    return by_name.get(name) or by_name[DEFAULT_INSTANCE_TYPE]


def _built_config(bento: BentoRecord | None, service: str) -> Mapping[str, Any]:
    """What the service's own code says."""
    for each in (bento.manifest.get("services") or []) if bento else []:
        if each.get("name") == service:
            return each.get("config") or {}
    return {}


def _envs(items: Any) -> dict[str, str]:
    return {str(item["name"]): str(item.get("value") or "") for item in items or [] if item}


def _number(value: Any, default: int) -> int:
    return default if value is None else int(value)
