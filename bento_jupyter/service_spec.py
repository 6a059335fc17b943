"""What a deployment asks for one of its services, and for its canaries; to BentoCloud's wire and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = [
    "HIDDEN",
    "STRATEGIES",
    "Canary",
    "CanaryVersion",
    "ServiceSpec",
    "checked_envs",
    "read_pairs",
]

#: Rollout strategies, the words of BentoCloud.
STRATEGIES = ("RollingUpdate", "Recreate", "RampedSlowRollout", "BestEffortControlledRollout")
#: What code that is shown has in the place of a variable's value.
HIDDEN = "..."
#: Where each field stands in the wire's configuration of a service.
_PLACES = {
    "min": ("scaling", "min_replicas"),
    "max": ("scaling", "max_replicas"),
    "idle_seconds": ("scaling", "policy", "scale_down_stabilization_window"),
    "scale_up_seconds": ("scaling", "policy", "scale_up_stabilization_window"),
    "concurrency": ("config_overrides", "traffic", "concurrency"),
    "timeout": ("config_overrides", "traffic", "timeout"),
    "instance_type": ("instance_type",),
    "strategy": ("deployment_strategy",),
    "cold_start_timeout": ("cold_start_timeout",),
    "queue": ("extras", "queue"),
    "retries": ("extras", "retries"),
    "image": ("extras", "image"),
}


def checked_envs(envs: dict[str, str]) -> dict[str, str]:
    """Environment variables with names that can be ones.

    Raises:
        ValueError: One cannot; the message names it.
    """
    for key in envs:
        if not re.match(r"^[A-Za-z_][A-Za-z0-9_]*\Z", key):
            raise ValueError(f"{key!r} is not a name of an environment variable")
    return envs


def read_pairs(items: Any, key: str) -> dict[str, str]:
    """A dict of the wire's `[{key: ..., "value": ...}]`, or of a mapping as it is."""
    if isinstance(items, Mapping):
        return {str(name): str(value) for name, value in items.items()}
    return {str(item[key]): str(item.get("value") or "") for item in items or [] if item}


class ServiceSpec(BaseModel):
    """What is asked for one service; None = as the cloud or the Bento has it.

    Attributes:
        min: Fewest instances.
        max: Most instances.
        concurrency: Requests per instance at a time.
        idle_seconds: Seconds without need after which an instance stops.
        scale_up_seconds: Seconds for which more instances must be wanted before they are started.
        instance_type: Name of an instance type.
        strategy: Rollout strategy.
        timeout: Seconds per request.
        cold_start_timeout: Seconds a request waits for an instance.
        queue: Requests that may wait; 429 above. Embedded cloud only.
        retries: A request whose instance is lost goes to another one. Embedded cloud only.
        image: Of the entry service: `oci` = the whole Bento runs in an OCI image. Embedded cloud only.
        envs: Environment variables of this service alone.
        other: What else the wire's configuration of a service holds, as it stands there.
    """

    model_config = ConfigDict(extra="forbid")

    min: int | None = Field(None, ge=0, le=1000)
    max: int | None = Field(None, ge=1, le=1000)
    concurrency: int | None = Field(None, ge=1)
    idle_seconds: int | None = Field(None, ge=0, le=3600)
    scale_up_seconds: int | None = Field(None, ge=0, le=3600)
    instance_type: str | None = None
    strategy: str | None = None
    timeout: float | None = Field(None, gt=0, allow_inf_nan=False)
    cold_start_timeout: int | None = Field(None, gt=0)
    queue: int | None = Field(None, ge=1)
    retries: bool | None = None
    image: Literal["oci"] | None = None
    envs: dict[str, str] = Field(default_factory=dict)
    other: dict[str, Any] = Field(default_factory=dict)

    @field_validator("strategy")
    @classmethod
    def _strategy(cls, value: str | None) -> str | None:
        if value is not None and value not in STRATEGIES:
            raise ValueError(f"use one of {', '.join(STRATEGIES)}")
        return value

    @field_validator("envs")
    @classmethod
    def _envs(cls, value: dict[str, str]) -> dict[str, str]:
        return checked_envs(value)

    @property
    def embedded_only(self) -> list[str]:
        """Fields with a value that no other cloud than the embedded one heeds."""
        return [name for name in ("queue", "retries", "image") if getattr(self, name) is not None]

    def said(self) -> dict[str, Any]:
        """The fields that have a value."""
        return {key: value for key, value in self.model_dump().items() if value is not None and value != {}}

    def to_wire(self) -> dict[str, Any]:
        """The wire's configuration of a service."""
        config = deepcopy(self.other)
        for field, place in _PLACES.items():
            value = getattr(self, field)
            if value is not None:
                inner = config
                for key in place[:-1]:
                    inner = inner.setdefault(key, {})
                inner[place[-1]] = value
        if self.envs:
            config["envs"] = [{"name": key, "value": value} for key, value in self.envs.items()]
        return config

    @classmethod
    def of_wire(cls, config: Mapping[str, Any] | None) -> ServiceSpec:
        """What a configuration of the wire, or of BentoCloud's deployment file, asks for."""
        rest = _without_nothing(deepcopy(dict(config or {})))
        fields: dict[str, Any] = {"envs": read_pairs(rest.pop("envs", None), "name")}
        for field, place in _PLACES.items():
            inner: Any = rest
            for key in place[:-1]:
                inner = inner.get(key) or {}
            fields[field] = inner.pop(place[-1], None)
        return cls(**fields, other=_without_nothing(rest))


class CanaryVersion(BaseModel):
    """A version beside the main one; what is None is as in the main one.

    Attributes:
        bento: Tag of its Bento.
        weight: Percentage of the requests it gets.
        envs: Its environment variables.
        secrets: Names of its secrets.
        services: Settings of its services, by name.
    """

    model_config = ConfigDict(extra="forbid")

    bento: str
    weight: float = Field(10, ge=0, le=100, allow_inf_nan=False)
    envs: dict[str, str] | None = None
    secrets: list[str] | None = None
    services: dict[str, ServiceSpec] = Field(default_factory=dict)

    @field_validator("envs")
    @classmethod
    def _envs(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        return None if value is None else checked_envs(value)

    def to_wire(self) -> dict[str, Any]:
        """The wire's version of a canary."""
        envs = self.envs
        return {
            "bento": self.bento,
            "weight": int(self.weight) if self.weight % 1 == 0 else self.weight,
            "envs": None if envs is None else [{"name": key, "value": envs[key]} for key in envs],
            "secrets": self.secrets,
            "services": {name: each.to_wire() for name, each in self.services.items()},
        }

    @classmethod
    def of_wire(cls, version: Mapping[str, Any]) -> CanaryVersion:
        """What the wire, or BentoCloud's deployment file, says of a canary."""
        envs = version.get("envs")
        weight = version.get("weight")
        return cls(
            bento=str(version.get("bento") or ""),
            weight=0 if weight is None else weight,
            envs=None if envs is None else read_pairs(envs, "name"),
            secrets=version.get("secrets"),
            services={
                name: ServiceSpec.of_wire(each) for name, each in (version.get("services") or {}).items()
            },
        )


class Canary(BaseModel):
    """Versions beside the main one, and what decides which one a request goes to.

    Attributes:
        by: `random`, or by the value of a `header` or `query` parameter, so that a caller stays with one.
        key: Name of that header or parameter.
        versions: The versions by name; none = only the main one.
    """

    model_config = ConfigDict(extra="forbid")

    by: Literal["random", "header", "query"] = "random"
    key: str | None = None
    versions: dict[str, CanaryVersion] = Field(default_factory=dict)

    def to_wire(self) -> dict[str, Any] | None:
        """The wire's `canary`; None without versions."""
        if not self.versions:
            return None
        versions = {name: each.to_wire() for name, each in self.versions.items()}
        return {"route_type": self.by, "route_by": self.key, "versions": versions}

    @classmethod
    def of_wire(cls, canary: Mapping[str, Any] | None) -> Canary:
        """What the wire, or BentoCloud's deployment file, says of canaries."""
        canary = canary or {}
        versions = {
            name: CanaryVersion.of_wire(each) for name, each in (canary.get("versions") or {}).items()
        }
        return cls(
            by=canary.get("route_type") or "random", key=canary.get("route_by") or None, versions=versions
        )


def _without_nothing(value: Any) -> Any:
    """A configuration without what is null or empty, which says nothing."""
    if not isinstance(value, dict):
        return value
    cleaned = {key: _without_nothing(item) for key, item in value.items()}
    return {key: item for key, item in cleaned.items() if item is not None and item not in ({}, [])}
