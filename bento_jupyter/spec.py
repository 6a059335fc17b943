"""The vocabulary: modes, statuses, and what a user asks for; what is shown of it is in `views.py`.

Translation to BentoCloud's wire format (docs/architecture.md, "The wire") is `DeploymentSpec.to_wire`; back
it is `mode_of`: the wire has no `mode`, it is `scaling.min_replicas`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from .service_spec import HIDDEN, STRATEGIES, Canary, ServiceSpec, checked_envs, read_pairs

__all__ = [
    "FAILED_STATUSES",
    "READY_STATUSES",
    "DeploymentSpec",
    "InstanceState",
    "Mode",
    "Scaling",
    "Status",
    "Traffic",
    "expiry_of",
    "free_name",
    "masked",
    "mode_of",
]

#: Names of deployments, Bentos and models: what BentoML's tags and DNS labels both allow.
NAME_PATTERN = re.compile(r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\Z")
DEPLOYMENT_NAME_PATTERN = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")

#: Characters of a name of a deployment.
LONGEST_NAME = 63

#: Labels with a meaning: when a deployment ends by itself, and which notebook deployed it.
EXPIRES_LABEL = "bento-jupyter.expires"
OWNER_LABEL = "bento-jupyter.owner"


class Mode(str, Enum):
    """How a deployment meets its requests.

    `ONLINE` (Online Service): at least one instance is always up.
    `ON_DEMAND` (On-Demand Function): instances start when requests come; requests wait in a queue
    meanwhile; back to zero when idle.
    """

    ONLINE = "online"
    ON_DEMAND = "on-demand"

    @property
    def full_name(self) -> str:
        """The name BentoCloud gives it."""
        return "Online Service" if self is Mode.ONLINE else "On-Demand Function"

    @property
    def meaning(self) -> str:
        """One line that says what choosing it means."""
        if self is Mode.ONLINE:
            return "Always at least one instance up: lowest latency, uses memory all the time."
        return "Starts when a request comes, which waits meanwhile; nothing runs while idle."


class Status(str, Enum):
    """A deployment's status, the words of BentoCloud's wire."""

    UNKNOWN = "unknown"
    NON_DEPLOYED = "non-deployed"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    FAILED = "failed"
    DEPLOYING = "deploying"
    TERMINATING = "terminating"
    TERMINATED = "terminated"
    IMAGE_BUILDING = "image-building"
    IMAGE_BUILD_FAILED = "image-build-failed"
    IMAGE_BUILD_SUCCEEDED = "image-build-succeeded"
    SCALED_TO_ZERO = "scaled-to-zero"


#: Statuses in which a deployment answers requests.
READY_STATUSES = frozenset({Status.RUNNING, Status.SCALED_TO_ZERO})
#: Statuses from which a deployment does not become ready by itself.
FAILED_STATUSES = frozenset(
    {Status.FAILED, Status.IMAGE_BUILD_FAILED, Status.UNHEALTHY, Status.TERMINATED, Status.TERMINATING}
)


class InstanceState(str, Enum):
    """State of one instance (replica) of a deployment."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"


def utc_now() -> datetime:
    """Now, with its zone."""
    return datetime.now(timezone.utc)


class Model(BaseModel):
    """Base of all models here: unknown fields are dropped, so older and newer ends understand each other."""

    model_config = ConfigDict(extra="ignore")


class Scaling(Model):
    """How many instances, and when.

    Attributes:
        min: Fewest instances; 0 makes the deployment on-demand.
        max: Most instances.
        concurrency: Requests that one instance works on at a time; None = no limit.
        idle_seconds: How long without need an instance is kept before it is stopped
            (BentoCloud's `scale_down_stabilization_window`), 0 to 3600.
        scale_up_seconds: How long more instances must be wanted before they are started
            (`scale_up_stabilization_window`); never delays the first instance.
    """

    min: int = Field(1, ge=0, le=1000)
    max: int = Field(1, ge=1, le=1000)
    concurrency: int | None = Field(None, ge=1)
    idle_seconds: float | None = Field(None, ge=0, le=3600)
    scale_up_seconds: float = Field(0, ge=0, le=3600)

    @model_validator(mode="after")
    def _ordered(self) -> Scaling:
        if self.max < self.min:
            raise ValueError(f"max ({self.max}) is below min ({self.min})")
        return self


class Traffic(Model):
    """Limits of the request path.

    Attributes:
        timeout: Seconds a request may take once an instance has it; 504 after.
        queue: Requests that may wait per deployment; 429 above.
        cold_start_timeout: Seconds a request waits for an instance; 503 after.
    """

    timeout: float = Field(60, gt=0, allow_inf_nan=False)
    queue: int = Field(10_000, ge=1)
    cold_start_timeout: float = Field(300, gt=0, allow_inf_nan=False)


def expiry_of(labels: Mapping[str, str], changed_at: datetime | None = None) -> datetime | None:
    """When a deployment with these labels ends by itself; None = never.

    Args:
        labels: Its labels; a time that cannot be read counts as none.
        changed_at: When somebody changed it last: whoever starts it again after its end wants it to run.
    """
    try:
        at = datetime.fromisoformat(labels.get(EXPIRES_LABEL, "").replace("Z", "+00:00"))
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
    return None if changed_at is not None and at <= changed_at else at


def mode_of(min_replicas: int) -> Mode:
    """The mode that a deployment with this `min_replicas` is in."""
    return Mode.ON_DEMAND if min_replicas == 0 else Mode.ONLINE


#: Fields of a deployment that are those of its entry service.
_OF_ENTRY = (
    "idle_seconds",
    "scale_up_seconds",
    "instance_type",
    "strategy",
    "timeout",
    "cold_start_timeout",
    "queue",
    "retries",
    "image",
)


def free_name(base: str, taken: Collection[str]) -> str:
    """A name for a deployment that none has yet: that of a Bento or of another one, with a number if need be.

    Args:
        base: A name, or the tag of a Bento; what names of deployments cannot have becomes `-`.
        taken: Names that there are.

    Returns:
        The name; "" when nothing is left of `base`.

    Example:
        >>> free_name("my_iris:v1", {"my-iris"})
        'my-iris-2'
    """
    wanted = re.sub("[^a-z0-9]+", "-", base.partition(":")[0].lower()).strip("-")
    name, number = wanted[:LONGEST_NAME].rstrip("-"), 2
    while name and name in taken:
        end = f"-{number}"
        name, number = wanted[: LONGEST_NAME - len(end)].rstrip("-") + end, number + 1
    return name


class DeploymentSpec(Model):
    """What a user asks for when deploying.

    Attributes:
        name: Name of the deployment: small letters, digits and `-`.
        bento: Tag `name:version` of a Bento; "" while it is still to be built.
        mode: Online Service or On-Demand Function.
        min: Fewest instances; None = 1 online, 0 on demand.
        max: Most instances; None = the larger of 1 and min.
        concurrency: Requests per instance at a time; None = no limit online, 8 on demand.
        idle_seconds: See `Scaling`; None = the cloud's default.
        scale_up_seconds: See `Scaling`; None = the cloud's default.
        instance_type: Name of an instance type of the cloud; None = the cloud's default.
        envs: Environment variables.
        secrets: Names of secrets of the cloud.
        labels: Labels.
        protected: True = callers need `Authorization: Bearer <token>`.
        strategy: Rollout strategy; None = the cloud's default.
        timeout: Seconds per request; None = what the Bento says.
        cold_start_timeout: Seconds a request waits for an instance; None = the cloud's default.
        queue: Requests that may wait, 429 above; None = the cloud's default. Embedded cloud only.
        retries: A request whose instance is lost goes to another one; None = yes. Embedded cloud only.
        image: `oci` = instances run in containers, from an OCI image; None = as the Bento needs. Embedded
            cloud only.
        services: Settings of the other services of the Bento, by name; of the entry service, what the
            fields above do not say.
        canary: Versions beside the main one.

    Example:
        >>> DeploymentSpec(name="iris", bento="iris:v1", mode="on-demand").scaling.min
        0
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    bento: str = ""
    mode: Mode = Mode.ONLINE
    min: int | None = Field(None, ge=0, le=1000)
    max: int | None = Field(None, ge=1, le=1000)
    concurrency: int | None = Field(None, ge=1)
    idle_seconds: int | None = Field(None, ge=0, le=3600)
    instance_type: str | None = None
    envs: dict[str, str] = Field(default_factory=dict)
    secrets: list[str] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    protected: bool = False
    strategy: str | None = None
    timeout: float | None = Field(None, gt=0, allow_inf_nan=False)
    cold_start_timeout: int | None = Field(None, gt=0)
    scale_up_seconds: int | None = Field(None, ge=0, le=3600)
    queue: int | None = Field(None, ge=1)
    retries: bool | None = None
    image: Literal["oci"] | None = None
    services: dict[str, ServiceSpec] = Field(default_factory=dict)
    canary: Canary = Field(default_factory=Canary)

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not DEPLOYMENT_NAME_PATTERN.match(value):
            raise ValueError("use small letters, digits and '-', at most 63, ends with a letter or digit")
        return value

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

    @field_validator("min")
    @classmethod
    def _fits_mode(cls, value: int | None, info: ValidationInfo) -> int | None:
        mode = info.data.get("mode")
        if mode is Mode.ONLINE and value == 0:
            raise ValueError("an Online Service keeps at least 1 instance; min 0 is mode on-demand")
        if mode is Mode.ON_DEMAND and value:
            raise ValueError("an On-Demand Function starts at min 0; to keep instances up use mode online")
        return value

    @field_validator("max")
    @classmethod
    def _not_below_min(cls, value: int | None, info: ValidationInfo) -> int | None:
        least = info.data.get("min")
        if value is not None and least is not None and value < least:
            raise ValueError(f"max ({value}) is below min ({least})")
        return value

    @classmethod
    def default_of(cls, name: str) -> Any:
        """What a field is that nobody has said."""
        return cls.model_fields[name].get_default(call_default_factory=True)

    @property
    def scaling(self) -> Scaling:
        """The scaling that mode, min, max and concurrency come to."""
        on_demand = self.mode is Mode.ON_DEMAND
        least = self.min if self.min is not None else (0 if on_demand else 1)
        return Scaling(
            min=least,
            max=self.max if self.max is not None else max(1, least),
            concurrency=self.concurrency or (8 if on_demand else None),
            idle_seconds=self.idle_seconds,
            scale_up_seconds=self.scale_up_seconds or 0,
        )

    def changed_by(self, given: dict[str, Any]) -> dict[str, Any]:
        """The fields of this deployment with those `given` put in their place.

        With another mode, its `min` and `concurrency` go: they were meant for the old one.
        """
        kept = self.model_dump()
        if "mode" in given and Mode(given["mode"]) is not self.mode:
            kept["min"] = kept["concurrency"] = None
        return {**kept, **given}

    @classmethod
    def of_wire(
        cls, name: str, bento: str, config: Mapping[str, Any], labels: Mapping[str, str], entry: str
    ) -> DeploymentSpec:
        """What a cloud says was asked for; `to_wire` back.

        Args:
            name: Name of the deployment.
            bento: Tag of its Bento.
            config: The wire's configuration: `services`, `envs`, `secrets`, `access_authorization`, `canary`.
            labels: Its labels.
            entry: Name of the Bento's entry service.
        """
        services = {key: ServiceSpec.of_wire(each) for key, each in (config.get("services") or {}).items()}
        own = services.pop(entry, ServiceSpec())
        fields = own.said()
        rest = ServiceSpec(envs=fields.pop("envs", {}), other=fields.pop("other", {}))
        least = fields.pop("min", 1)
        if least == 0:
            (rest.other.get("config_overrides") or {}).get("traffic", {}).pop("external_queue", None)
            rest = ServiceSpec.of_wire(rest.to_wire())
        if rest.said():
            services[entry] = rest
        return cls(
            **{
                **fields,
                "name": name,
                "bento": bento,
                "mode": mode_of(least),
                "min": least,
                "max": max(1, least, fields.get("max", 1)),
                "envs": read_pairs(config.get("envs"), "name"),
                "secrets": list(config.get("secrets") or []),
                "labels": dict(labels),
                "protected": bool(config.get("access_authorization")),
                "services": services,
                "canary": Canary.of_wire(config.get("canary")),
            }
        )

    @property
    def embedded_only(self) -> list[str]:
        """What it asks for that no other cloud than the embedded one heeds, in the words of the magic."""
        found = [f"--{name}" for name in ("queue", "retries", "image") if getattr(self, name) is not None]
        of_services = [*self.services.items()]
        for version in self.canary.versions.values():
            of_services += version.services.items()
        found += [f"{word} of service {name}" for name, each in of_services for word in each.embedded_only]
        return found + (["--expires"] if EXPIRES_LABEL in self.labels else [])

    def to_wire(self, service: str) -> dict[str, Any]:
        """The body of BentoCloud's create call (without `null` fields).

        Args:
            service: Name of the Bento's entry service, to which scaling and instance type apply.
        """
        scaling = self.scaling
        entry = self.services.get(service, ServiceSpec())
        own = {key: value for key in _OF_ENTRY if (value := getattr(self, key)) is not None}
        own |= {"min": scaling.min, "max": scaling.max, "concurrency": scaling.concurrency}
        config = ServiceSpec(**{**entry.model_dump(), **own}).to_wire()
        if self.mode is Mode.ON_DEMAND:
            config["config_overrides"]["traffic"]["external_queue"] = True
        services = {name: each.to_wire() for name, each in self.services.items()}
        return {
            "name": self.name,
            "bento": self.bento,
            "access_authorization": self.protected,
            "envs": [{"name": key, "value": value} for key, value in self.envs.items()],
            "labels": [{"key": key, "value": value} for key, value in self.labels.items()],
            "secrets": list(self.secrets),
            "services": {**services, service: config},
            "canary": self.canary.to_wire(),
            "dev": False,
        }


def masked(spec: DeploymentSpec) -> DeploymentSpec:
    """A spec without the values of its environment variables, wherever they stand in it."""
    return DeploymentSpec(**_hidden(spec.model_dump()))


def _hidden(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: dict.fromkeys(each, HIDDEN) if key == "envs" and each else _hidden(each)
        for key, each in value.items()
    }
