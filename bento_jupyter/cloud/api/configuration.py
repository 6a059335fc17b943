"""The configuration of a deployment: what a client sends, checked, and its gaps filled.

The client configures only the services it knows of and leaves most fields null; what is stored has an
entry for each service of the Bento and says everything that the controller needs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from ...errors import InvalidRequestError
from ..instance_types import InstanceTypes, fitting_instance_type
from ..store import BentoRecord
from ..target import MAIN
from .exchange import parse
from .schemas import BentoShape, Items, Label, TrafficConfig

__all__ = ["CreateDeployment", "UpdateDeployment", "complete_config"]

ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
VERSION_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
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


class ConfigOverrides(BaseModel):
    """What the deployment changes of the service's own configuration."""

    model_config = ConfigDict(extra="allow")

    traffic: TrafficConfig | None = None


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

    @field_validator("extras")
    @classmethod
    def _image(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if (value or {}).get("image") not in (None, "oci"):
            raise ValueError("image is oci, or nothing: as the Bento needs")
        return value

    @field_validator("scaling", "config_overrides", mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        return {} if value is None else value


def _is_a_tag(tag: str) -> str:
    name, separator, version = tag.partition(":")
    if not (name and separator and version):
        raise ValueError(f"{tag!r} is no tag of a Bento (name:version)")
    return tag


def _without_null_services(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return {} if value is None else value
    return {name: {} if service is None else service for name, service in value.items()}


BentoTag = Annotated[str, AfterValidator(_is_a_tag)]
Services = Annotated[dict[str, ServiceConfig], BeforeValidator(_without_null_services)]


class CanaryVersion(Request):
    """A version beside the main one; what it leaves out is as in the main one."""

    bento: BentoTag
    weight: float = Field(ge=0, le=100)
    envs: Envs | None = None
    secrets: Items[str] | None = None
    services: Services = {}

    @field_validator("envs", "secrets", mode="wrap")
    @classmethod
    def _as_in_main(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        return None if value is None else handler(value)


class Canary(Request):
    """Other versions beside the main one, and how requests are shared out among them."""

    route_type: Literal["random", "header", "query"] = "random"
    route_by: str | None = None
    versions: dict[str, CanaryVersion] = {}

    @field_validator("route_type", mode="before")
    @classmethod
    def _at_random(cls, value: Any) -> Any:
        return value or "random"

    @field_validator("versions", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return {} if value is None else value

    @model_validator(mode="after")
    def _can_be(self) -> Canary:
        if self.versions and self.route_type != "random" and not self.route_by:
            raise ValueError(
                f"route_type {self.route_type!r} needs route_by: the name of the {self.route_type}"
            )
        for name in self.versions:
            if name == MAIN or not VERSION_NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} cannot be a canary's name: small letters, digits and '-', at most 63, first "
                    "and last a letter or digit, and not 'main'"
                )
        total = sum(version.weight for version in self.versions.values())
        if total > 100:
            raise ValueError(f"the weights of all canaries are {total:g} together, which is more than 100")
        return self


class UpdateDeployment(Request):
    """Body of `PUT /api/v2/deployments/{name}`: the whole configuration; labels null = as they are."""

    bento: BentoTag
    access_authorization: bool = False
    envs: Envs = []
    labels: list[Label] | None = None
    secrets: Items[str] = []
    services: Services = {}
    canary: Canary | None = None

    @field_validator("access_authorization", mode="before")
    @classmethod
    def _closed(cls, value: Any) -> Any:
        return False if value is None else value

    @property
    def canaries(self) -> dict[str, CanaryVersion]:
        """The versions beside the main one, by name."""
        return self.canary.versions if self.canary else {}


class CreateDeployment(UpdateDeployment):
    """Body of `POST /api/v2/deployments`; without a name one is invented."""

    name: str | None = None
    dev: bool = False


def complete_config(
    body: UpdateDeployment,
    bento: BentoRecord,
    earlier_labels: Sequence[Mapping[str, str]] = (),
    canary_bentos: Mapping[str, BentoRecord] | None = None,
    earlier_services: Collection[str] = (),
    *,
    types: InstanceTypes,
) -> dict[str, Any]:
    """The configuration to store.

    Args:
        body: What the client sent.
        bento: The Bento it is about.
        earlier_labels: Labels to keep when the client sends none.
        canary_bentos: The Bentos of its canaries, by their names.
        earlier_services: Services that the deployment had before: the client's `update` sends their
            configuration again, also for a Bento that lacks them.
        types: The instance types that there are.

    Returns:
        `access_authorization`, `envs`, `labels`, `secrets`, `services` (an entry for each service of the
        Bento, with scaling and instance type) and `canary`, in the wire's words.

    Raises:
        InvalidRequestError: It asks for something that the Bento or this cloud does not have.
    """
    for each in (bento, *(canary_bentos or {}).values()):
        if each.manifest:  # an earlier cloud looked less closely at what it registered
            parse(BentoShape, each.manifest)
    labels = list(earlier_labels) if body.labels is None else [label.model_dump() for label in body.labels]
    return {
        "access_authorization": body.access_authorization,
        "envs": [env.model_dump() for env in body.envs],
        "labels": labels,
        "secrets": list(dict.fromkeys(body.secrets)),
        "services": _services(body.services, bento, types, earlier_services),
        "canary": _canary(body, canary_bentos or {}, types),
    }


def _canary(
    body: UpdateDeployment, bentos: Mapping[str, BentoRecord], types: InstanceTypes
) -> dict[str, Any] | None:
    if body.canary is None or not body.canaries:
        return None
    versions = {}
    for name, version in body.canaries.items():
        versions[name] = {
            "bento": version.bento,
            "weight": version.weight if version.weight % 1 else int(version.weight),
            "envs": [env.model_dump() for env in (body.envs if version.envs is None else version.envs)],
            "secrets": list(dict.fromkeys(body.secrets if version.secrets is None else version.secrets)),
            "services": _services(
                # Services that only the main version has are no mistake here.
                {**body.services, **version.services},
                bentos[name],
                types,
                body.services,
            ),
        }
    return {
        "route_type": body.canary.route_type,
        "route_by": body.canary.route_by,
        "versions": versions,
    }


def _services(
    services: Mapping[str, ServiceConfig], bento: BentoRecord, types: InstanceTypes, dropped: Collection[str]
) -> dict[str, Any]:
    names = bento.services
    unknown = sorted(set(services) - set(names) - set(dropped))
    if unknown:
        raise InvalidRequestError(
            f"bento {bento.tag} has no service {unknown[0]!r}; it has: {', '.join(names) or 'none'}"
        )
    return {name: _service(services.get(name), name, bento, types) for name in names}


def _service(
    config: ServiceConfig | None, name: str, bento: BentoRecord, types: InstanceTypes
) -> dict[str, Any]:
    config = config or ServiceConfig()
    resources = bento.resources_of(name)
    if config.instance_type:
        if refusal := types.refusal(config.instance_type):
            raise InvalidRequestError(f"services.{name}.instance_type: {refusal}")
    elif lacking := types.lacks(resources):
        raise InvalidRequestError(
            f"service {name} asks for {lacking}",
            hint=f"to run it without GPU, name an instance type: {types.default.name}",
        )
    complete = config.model_dump()
    complete["config_overrides"] = config.config_overrides.model_dump(exclude_none=True)
    complete["instance_type"] = config.instance_type or fitting_instance_type(resources, types)
    return complete
