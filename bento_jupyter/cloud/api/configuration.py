"""The configuration of a deployment: what a client sends, checked, and its gaps filled.

The client configures only the services it knows of and leaves most fields null; what is stored has an
entry for each service of the Bento and says everything that the controller needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ...errors import InvalidRequestError
from ..instance_types import fitting_instance_type, instance_types
from ..store import BentoRecord
from .schemas import Items, Label

__all__ = ["CreateDeployment", "UpdateDeployment", "complete_config"]

ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LARGEST_SCALE = 1000
LONGEST_WINDOW = 3600


class Request(BaseModel):
    """Base: fields of other versions of the client are dropped."""

    model_config = ConfigDict(extra="ignore")


class Env(Request):
    """An environment variable."""

    name: str
    value: str

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not ENV_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name of an environment variable")
        return name

    @field_validator("value")
    @classmethod
    def _has_no_nul(cls, value: str) -> str:
        if "\0" in value:
            raise ValueError("a NUL cannot be in the value of an environment variable")
        return value


def _without_nulls(value: Any) -> Any:
    return (
        [item for item in value or [] if item is not None]
        if value is None or isinstance(value, list)
        else value
    )


Envs = Annotated[list[Env], BeforeValidator(_without_nulls)]


class ScalingPolicy(Request):
    """Windows of the autoscaler, seconds. `metrics` and behaviours are kept and not used."""

    metrics: list[dict[str, Any]] | None = None
    scale_down_behavior: str | None = None
    scale_up_behavior: str | None = None
    scale_down_stabilization_window: int | None = Field(None, ge=0, le=LONGEST_WINDOW)
    scale_up_stabilization_window: int | None = Field(None, ge=0, le=LONGEST_WINDOW)


class ScalingConfig(Request):
    """How many instances."""

    min_replicas: int | None = Field(None, ge=0, le=LARGEST_SCALE)
    max_replicas: int | None = Field(None, ge=1, le=LARGEST_SCALE)
    policy: ScalingPolicy | None = None

    @model_validator(mode="after")
    def _complete_and_ordered(self) -> ScalingConfig:
        """As the client completes it (`DeploymentAPI._fix_scaling`)."""
        if self.max_replicas is None:
            self.max_replicas = max(1, self.min_replicas or 0)
        if self.min_replicas is None:
            self.min_replicas = 1
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"min_replicas ({self.min_replicas}) is larger than max_replicas ({self.max_replicas})"
            )
        return self


class TrafficOverrides(BaseModel):
    """`traffic` of a service, as the deployment wants it."""

    model_config = ConfigDict(extra="allow")

    timeout: float | None = Field(None, gt=0)
    concurrency: int | None = Field(None, ge=1)
    max_concurrency: int | None = Field(None, ge=1)
    external_queue: bool | None = None


class ConfigOverrides(BaseModel):
    """What the deployment changes of the service's own configuration."""

    model_config = ConfigDict(extra="allow")

    traffic: TrafficOverrides | None = None


class ServiceConfig(Request):
    """One service of the deployment."""

    instance_type: str | None = None
    scaling: ScalingConfig = Field(default_factory=ScalingConfig)
    envs: Envs = []
    deployment_strategy: (
        Literal["RollingUpdate", "Recreate", "RampedSlowRollout", "BestEffortControlledRollout"] | None
    ) = None
    extras: dict[str, Any] | None = None
    cold_start_timeout: int | None = Field(None, gt=0)
    config_overrides: ConfigOverrides = Field(default_factory=ConfigOverrides)

    @field_validator("scaling", "config_overrides", mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        return {} if value is None else value

    @field_validator("instance_type")
    @classmethod
    def _offered(cls, name: str | None) -> str | None:
        offered = [kind.name for kind in instance_types()]
        if name and name not in offered:
            raise ValueError(f"there is no instance type {name!r}; there are: {', '.join(offered)}")
        return name or None


class Canary(Request):
    """Other versions beside the main one."""

    route_type: str | None = None
    route_by: str | None = None
    versions: dict[str, Any] | None = None


class UpdateDeployment(Request):
    """Body of `PUT /api/v2/deployments/{name}`: the whole configuration; labels null = as they are."""

    bento: str
    access_authorization: bool = False
    envs: Envs = []
    labels: list[Label] | None = None
    secrets: Items[str] = []
    services: dict[str, ServiceConfig] = {}
    canary: Canary | None = None

    @field_validator("access_authorization", mode="before")
    @classmethod
    def _closed(cls, value: Any) -> Any:
        return False if value is None else value

    @field_validator("services", mode="before")
    @classmethod
    def _without_null_services(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return {} if value is None else value
        return {name: {} if service is None else service for name, service in value.items()}

    @field_validator("bento")
    @classmethod
    def _is_a_tag(cls, tag: str) -> str:
        name, separator, version = tag.partition(":")
        if not (name and separator and version):
            raise ValueError(f"{tag!r} is no tag of a Bento (name:version)")
        return tag


class CreateDeployment(UpdateDeployment):
    """Body of `POST /api/v2/deployments`; without a name one is invented."""

    name: str | None = None
    dev: bool = False


def complete_config(
    body: UpdateDeployment, bento: BentoRecord, earlier_labels: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """The configuration to store.

    Args:
        body: What the client sent.
        bento: The Bento it is about.
        earlier_labels: Labels to keep when the client sends none.

    Returns:
        `access_authorization`, `envs`, `labels`, `secrets`, `services` (an entry for each service of the
        Bento, with scaling and instance type) and `canary`, in the wire's words.

    Raises:
        InvalidRequestError: It asks for something that the Bento or this cloud does not have.
    """
    names = bento.services
    unknown = sorted(set(body.services) - set(names))
    if unknown:
        raise InvalidRequestError(
            f"bento {bento.tag} has no service {unknown[0]!r}; it has: {', '.join(names) or 'none'}"
        )
    if body.canary is not None and body.canary.versions:
        raise InvalidRequestError(
            "the embedded cloud runs one version per deployment: no canary", hint="make a second deployment"
        )
    labels = list(earlier_labels) if body.labels is None else [label.model_dump() for label in body.labels]
    return {
        "access_authorization": body.access_authorization,
        "envs": [env.model_dump() for env in body.envs],
        "labels": labels,
        "secrets": list(dict.fromkeys(body.secrets)),
        "services": {name: _service(body.services.get(name), name, bento) for name in names},
        "canary": None,
    }


def _service(config: ServiceConfig | None, name: str, bento: BentoRecord) -> dict[str, Any]:
    config = config or ServiceConfig()
    complete = config.model_dump()
    complete["config_overrides"] = config.config_overrides.model_dump(exclude_none=True)
    complete["instance_type"] = config.instance_type or fitting_instance_type(bento.resources_of(name))
    return complete
