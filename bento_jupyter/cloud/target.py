"""What a deployment asks for, read from its record: what to run, how many, and how it is reached. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..examples import endpoints_of
from ..spec import Scaling, Traffic
from ..views import EndpointView
from .instance_types import DEFAULT_INSTANCE_TYPE, InstanceTypes, fitting_instance_type
from .rollout import ROLLING_UPDATE
from .settings import CloudSettings
from .store import BentoRecord, DeploymentRecord

__all__ = [
    "MAIN",
    "Blueprint",
    "SetTarget",
    "Target",
    "VersionTarget",
    "asks_for_oci",
    "read_target",
    "tags_of",
    "unreadable_target",
]

#: The version that gets what no canary gets; its first set of replicas is called so, too.
MAIN = "main"


@dataclass(frozen=True)
class Blueprint:
    """What an instance is made of. Instances with another blueprint than the wanted one are replaced.

    Attributes:
        bento: Tag of the Bento.
        bento_digest: Digest of what was pushed under that tag.
        service: Name of the service that it serves.
        envs: Environment variables, sorted.
        instance_type: Name of its instance type.
        remotes: The other services, each with the name of the set of replicas that serves it, sorted.
        secrets: Names of the secrets that it is given.
        restarts: How often instances were asked to be replaced by new ones.
        oci: They run in an OCI image, also where an environment of Python packages would do.
    """

    bento: str
    bento_digest: str
    service: str
    envs: tuple[tuple[str, str], ...] = field(repr=False)
    instance_type: str
    remotes: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    restarts: int = 0
    oci: bool = False


@dataclass(frozen=True)
class SetTarget:
    """One set of replicas: those of one service in one version.

    Attributes:
        name: The set's name: that of the version for its entry service, else `<version>/<service>`.
        version: Name of the version.
        blueprint: What an instance is made of.
        scaling: How many.
        traffic: Limits of the request path.
        strategy: How instances of an earlier revision are replaced.
        tasks: Paths of the methods that can be run as tasks.
        schema: What `/schema.json` answers; None = only an instance knows.
        retries: A request whose instance is lost before it answers is given to another one.
        cors: The service's `http.cors`; None = it says nothing.
    """

    name: str
    version: str
    blueprint: Blueprint
    scaling: Scaling
    traffic: Traffic
    strategy: str = ROLLING_UPDATE
    tasks: tuple[str, ...] = ()
    schema: str | None = field(default=None, repr=False)
    retries: bool = True
    cors: Mapping[str, Any] | None = field(default=None, hash=False)

    @property
    def is_entry(self) -> bool:
        """True when callers from outside reach it."""
        return self.name == self.version


@dataclass(frozen=True)
class VersionTarget:
    """One version: a Bento, all services of which run.

    Attributes:
        name: `main`, or that of a canary.
        bento: Tag of its Bento.
        digest: Digest of what was pushed under that tag.
        weight: Percentage of the requests that it gets.
        sets: One per service, the entry service first.
    """

    name: str
    bento: str
    digest: str
    weight: float
    sets: tuple[SetTarget, ...]

    @property
    def entry(self) -> SetTarget:
        """The set that callers reach."""
        return self.sets[0]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of its secrets."""
        return self.entry.blueprint.secrets

    @property
    def oci(self) -> bool:
        """True when its image is to be an OCI image."""
        return self.entry.blueprint.oci

    @property
    def image_of(self) -> tuple[str, str, bool]:
        """What its image is made from."""
        return self.bento, self.digest, self.oci


@dataclass(frozen=True)
class Target:
    """All that a deployment asks for.

    Attributes:
        versions: The main one, then the canaries.
        protected: Callers need a token.
        endpoints: What the main Bento can be asked.
        route_type: What decides which version a request goes to: `random`, `header` or `query`.
        route_by: Name of that header or query parameter.
        problem: Why nothing of it can run, because its record cannot be read; "" otherwise.
    """

    versions: tuple[VersionTarget, ...]
    protected: bool
    endpoints: list[EndpointView]
    route_type: str = "random"
    route_by: str = ""
    problem: str = ""

    @property
    def main(self) -> VersionTarget:
        """The main version."""
        return self.versions[0]

    @property
    def sets(self) -> list[SetTarget]:
        """The sets of all versions."""
        return [each for version in self.versions for each in version.sets]

    @property
    def blueprints(self) -> list[Blueprint]:
        """What all instances are made of."""
        return [each.blueprint for each in self.sets]


def read_target(
    record: DeploymentRecord,
    find_bento: Callable[[str], BentoRecord | None],
    settings: CloudSettings,
    types: InstanceTypes,
) -> Target:
    """Read a deployment's record.

    Args:
        record: The deployment.
        find_bento: Gives the Bento of a tag; None when it is gone.
        settings: The cloud's defaults.
        types: The instance types that there are.
    """
    config = record.config
    canary: Mapping[str, Any] = config.get("canary") or {}
    canaries: Mapping[str, Any] = canary.get("versions") or {}
    weights = {name: float(version["weight"] or 0) for name, version in canaries.items()}
    main = {**config, "bento": record.bento, "weight": 100 - sum(weights.values())}
    tags = {record.bento, *(str(version["bento"]) for version in canaries.values())}
    bentos = {tag: find_bento(tag) for tag in tags}
    bento = bentos[record.bento]
    return Target(
        versions=tuple(
            _version(name, version, bentos[str(version["bento"])], settings, types, record=record)
            for name, version in {MAIN: main, **canaries}.items()
        ),
        protected=bool(config.get("access_authorization")),
        endpoints=endpoints_of(bento.manifest) if bento else [],
        route_type=str(canary.get("route_type") or "random"),
        route_by=str(canary.get("route_by") or ""),
    )


def unreadable_target(record: DeploymentRecord, problem: str) -> Target:
    """What a deployment asks for whose record `read_target` could not read: nothing, for this reason."""
    blueprint = Blueprint(record.bento, "", "", (), DEFAULT_INSTANCE_TYPE)
    only = SetTarget(MAIN, MAIN, blueprint, Scaling(min=0, max=1), Traffic())
    version = VersionTarget(MAIN, record.bento, "", 100.0, (only,))
    return Target(versions=(version,), protected=True, endpoints=[], problem=problem)


def tags_of(record: DeploymentRecord) -> list[str]:
    """Tags of the Bentos that a deployment runs: its main version's and its canaries'."""
    canaries = ((record.config.get("canary") or {}).get("versions") or {}).values()
    return [record.bento, *(str(each["bento"]) for each in canaries if each.get("bento"))]


def _version(
    name: str,
    config: Mapping[str, Any],
    bento: BentoRecord | None,
    settings: CloudSettings,
    types: InstanceTypes,
    *,
    record: DeploymentRecord,
) -> VersionTarget:
    services: Mapping[str, Any] = config.get("services") or {}
    entry = (bento.entry_service if bento else "") or next(iter(services), "")
    # Without the Bento nothing is known of what it is made of, and nothing of it can run.
    served = bento.served if bento else [entry]
    names = {service: name if service == entry else f"{name}/{service}" for service in served}
    # The files of a codespace change: an image of them would be old at once.
    oci = not record.dev and (settings.engine == "containers" or asks_for_oci(services.get(entry)))
    sets = []
    for service in served:
        wanted: Mapping[str, Any] = services.get(service) or {}
        built = bento.config_of(service) if bento else {}
        blueprint = Blueprint(
            bento=str(config["bento"]),
            bento_digest=bento.digest if bento else "",
            service=service,
            envs=tuple(sorted({**_envs(config.get("envs")), **_envs(wanted.get("envs"))}.items())),
            instance_type=str(
                wanted.get("instance_type") or fitting_instance_type(built.get("resources") or {}, types)
            ),
            remotes=tuple(sorted((each, at) for each, at in names.items() if each != service)),
            secrets=tuple(config.get("secrets") or ()),
            restarts=record.restarts,
            oci=oci,
        )
        scaling, traffic = _limits(wanted, built, settings)
        strategy = str(wanted.get("deployment_strategy") or ROLLING_UPDATE)
        # The manifest describes the entry service only; files that are still edited may say otherwise.
        schema: Mapping[str, Any] = (bento.manifest.get("schema") or {}) if bento and service == entry else {}
        sets.append(
            SetTarget(
                names[service],
                name,
                blueprint,
                scaling,
                traffic,
                strategy,
                tasks=tuple(
                    str(route["route"])
                    for route in schema.get("routes") or []
                    if route.get("is_task") and route.get("route")
                ),
                schema=_as_served(schema) if schema and not record.dev else None,
                retries=(wanted.get("extras") or {}).get("retries") is not False,
                cors=_cors(wanted, built),
            )
        )
    digest = bento.digest if bento else ""
    return VersionTarget(name, str(config["bento"]), digest, float(config["weight"] or 0), tuple(sets))


def asks_for_oci(service: Mapping[str, Any] | None) -> bool:
    """Whether the wire's configuration of an entry service asks for an OCI image."""
    return ((service or {}).get("extras") or {}).get("image") == "oci"


def _cors(wanted: Mapping[str, Any], built: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """BentoML's `http.cors` of a service: what the deployment says, else what its code says."""
    said = [
        (each.get("http") or {}).get("cors") or {} for each in (built, wanted.get("config_overrides") or {})
    ]
    return {**said[0], **said[1]} or None


def _limits(
    wanted: Mapping[str, Any], built: Mapping[str, Any], settings: CloudSettings
) -> tuple[Scaling, Traffic]:
    """Scaling and limits of one service: what the deployment says, else what its code says."""
    traffic = {
        **(built.get("traffic") or {}),
        **((wanted.get("config_overrides") or {}).get("traffic") or {}),
    }
    bounds: Mapping[str, Any] = wanted.get("scaling") or {}
    policy: Mapping[str, Any] = bounds.get("policy") or {}
    least = _number(bounds.get("min_replicas"), 1)
    scaling = Scaling(
        min=least,
        max=max(1, least, _number(bounds.get("max_replicas"), 1)),
        concurrency=traffic.get("concurrency"),
        idle_seconds=policy.get("scale_down_stabilization_window"),
        scale_up_seconds=policy.get("scale_up_stabilization_window") or 0,
    )
    return scaling, Traffic(
        timeout=traffic.get("timeout") or Traffic().timeout,
        queue=(wanted.get("extras") or {}).get("queue") or Traffic().queue,
        cold_start_timeout=wanted.get("cold_start_timeout") or settings.cold_start_timeout,
    )


def _as_served(schema: Mapping[str, Any]) -> str:
    """A schema as Starlette's `JSONResponse` writes it."""
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def _envs(items: Any) -> dict[str, str]:
    return {str(item["name"]): str(item.get("value") or "") for item in items or [] if item}


def _number(value: Any, default: int) -> int:
    return default if value is None else int(value)
