"""Deployments on the wire (D1-D7 of the contract)."""

from __future__ import annotations

import secrets
import string
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...errors import InvalidRequestError
from ...spec import DEPLOYMENT_NAME_PATTERN
from ..ports import free_deployment_port
from ..store import BentoRecord, DeploymentRecord
from ..target import MAIN
from .bentos import BENTOS
from .calls import Call
from .configuration import CreateDeployment, UpdateDeployment, complete_config
from .containers import require_containers
from .context import Cloud, cloud_of
from .exchange import answer, answer_page, query, read
from .identity import cluster, owner, require_cluster
from .schemas import (
    BentoWithRepository,
    ClusterQuery,
    Deployment,
    DeploymentRevision,
    DeploymentsQuery,
    DeploymentTarget,
    Label,
    ListOf,
)

__all__ = ["routes"]

#: Deployments in a list whose length nobody asks for: the client first asks for the total alone.
PAGE = 20
#: Bentos that an answer needs again and again, by tag.
Bentos = dict[str, BentoRecord | None]
#: Deployments as they were written into lists last, by uid, each with what it was made from.
WRITTEN: dict[str, tuple[object, bytes]] = {}
MOST_WRITTEN = 1000


async def create(request: Request) -> Response:
    """Make a deployment (D1)."""
    require_cluster(request.query_params.get("cluster"))
    body = await read(request, CreateDeployment)
    cloud = cloud_of(request)
    if body.name is not None and not DEPLOYMENT_NAME_PATTERN.match(body.name):
        raise InvalidRequestError(
            f"{body.name!r} cannot be a deployment's name: small letters, digits and '-', at most 63, "
            "first and last a letter or digit"
        )
    bento = _require_bento(cloud, body, dev=body.dev)
    canaries = _canary_bentos(cloud, body)
    config = complete_config(body, bento, (), canaries, types=cloud.controller.instance_types)
    await require_containers(cloud, config, bento, canaries, dev=body.dev)
    record = cloud.store.deployments.create(
        name=body.name or _invent_name(bento.name, cloud),
        bento=bento.tag,
        config=config,
        port=free_deployment_port(cloud.settings, cloud.store.deployments.ports()),
        creator=owner().name,
        dev=body.dev,
    )
    return _changed(cloud, record)


async def get(request: Request) -> Response:
    """One deployment (D2)."""
    require_cluster(request.query_params.get("cluster"))
    cloud = cloud_of(request)
    return answer(_deployment(cloud, cloud.store.deployments.require(request.path_params["name"])))


async def list_all(request: Request) -> Response:
    """Deployments, newest first (D3).

    The client asks twice: for `total`, then with `count=total` and its filter in `q`.
    """
    cloud = cloud_of(request)
    wanted = query(request, DeploymentsQuery)
    require_cluster(wanted.cluster)
    count = PAGE if wanted.count is None else wanted.count
    if wanted.q:
        matching = [
            record
            for record in reversed(cloud.store.deployments.all())
            if wanted.search in record.name and _matches(record, wanted.q)
        ]
        records, total = matching[wanted.start : wanted.start + count], len(matching)
    else:
        records, total = cloud.store.deployments.page(wanted.start, count, wanted.search)
    bentos: Bentos = {}
    items = [_written(cloud, record, bentos) for record in records]
    return answer_page(ListOf[Deployment], items, wanted.start, total)


async def update(request: Request) -> Response:
    """Give a deployment a new revision (D4); one that is terminated is started by it."""
    require_cluster(request.query_params.get("cluster"))
    body = await read(request, UpdateDeployment)
    cloud = cloud_of(request)
    present = cloud.store.deployments.require(request.path_params["name"])
    bento = _require_bento(cloud, body, dev=present.dev)
    canaries = _canary_bentos(cloud, body)
    config = complete_config(
        body,
        bento,
        present.config["labels"],
        canaries,
        _services_of(present.config),
        types=cloud.controller.instance_types,
    )
    await require_containers(cloud, config, bento, canaries, dev=present.dev)
    return _changed(cloud, cloud.store.deployments.update(present.name, bento=bento.tag, config=config))


async def void_update(request: Request) -> Response:
    """Start a terminated deployment, let a failed one try again (D5). Instances that run stay."""
    require_cluster(request.query_params.get("cluster"))
    cloud = cloud_of(request)
    deployments = cloud.store.deployments
    present = deployments.require(request.path_params["name"])
    if present.terminated:
        return _changed(cloud, deployments.start(present.name))
    return _changed(cloud, deployments.update(present.name, bento=present.bento, config=present.config))


async def terminate(request: Request) -> Response:
    """Stop a deployment; its revisions and its address are kept (D6)."""
    require_cluster(request.query_params.get("cluster"))
    cloud = cloud_of(request)
    return _changed(cloud, cloud.store.deployments.terminate(request.path_params["name"]))


async def delete(request: Request) -> Response:
    """Delete a deployment; the answer is how it was (D7)."""
    require_cluster(request.query_params.get("cluster"))
    cloud = cloud_of(request)
    record = cloud.store.deployments.require(request.path_params["name"])
    last = _deployment(cloud, record)
    cloud.store.deployments.delete(record.name)
    cloud.controller.changed(record.name)
    return answer(last)


def _changed(cloud: Cloud, record: DeploymentRecord) -> Response:
    cloud.controller.changed(record.name)
    return answer(_deployment(cloud, record))


def _services_of(config: dict[str, Any]) -> set[str]:
    canaries = ((config.get("canary") or {}).get("versions") or {}).values()
    return {name for version in (config, *canaries) for name in version["services"]}


def _require_bento(cloud: Cloud, body: UpdateDeployment, *, dev: bool) -> BentoRecord:
    if not dev:
        return cloud.store.require_servable(*_tag(body.bento))
    if body.canaries:
        raise InvalidRequestError("a codespace has one version: it has no canaries")
    return cloud.store.require_described(*_tag(body.bento))


def _canary_bentos(cloud: Cloud, body: UpdateDeployment) -> dict[str, BentoRecord]:
    return {
        name: cloud.store.require_servable(*_tag(version.bento)) for name, version in body.canaries.items()
    }


def _tag(tag: str) -> tuple[str, str]:
    name, _, version = tag.partition(":")
    return name, version


def _invent_name(bento: str, cloud: Cloud) -> str:
    stem = "".join(letter if letter.isalnum() else "-" for letter in bento)[:58].strip("-")
    while True:
        name = f"{stem}-{''.join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(4))}"
        if cloud.store.deployments.get(name) is None:
            return name


def _matches(record: DeploymentRecord, query: str) -> bool:
    """Whether a deployment meets all words of `q`: `is:dev`, `label:key=value`, or a part of its name."""
    labels = {label["key"]: label["value"] for label in record.config["labels"]}
    for word in query.split():
        kind, separator, wanted = word.partition(":")
        if not separator:
            if word not in record.name:
                return False
        elif kind == "is":
            if wanted != "dev" or not record.dev:
                return False
        elif kind == "label":
            key, has_value, value = wanted.partition("=")
            if key not in labels or (has_value and labels[key] != value):
                return False
        else:
            raise InvalidRequestError(f"there is no filter {kind!r}; there are: is, label")
    return True


def _written(cloud: Cloud, record: DeploymentRecord, bentos: Bentos) -> bytes:
    """A deployment as JSON; written anew only when something of it has changed: lists are asked for often."""
    view = cloud.view(record.name)
    tags = [record.bento, *(version["bento"] for version in _canaries(record).values())]
    found = [_bento_record(cloud, tag, bentos) for tag in tags]
    pushed = tuple(bento and (bento.uid, bento.updated_at) for bento in found)
    key = (record.revision_uid, record.updated_at, record.terminated, view.status, view.url, pushed)
    kept = WRITTEN.get(record.uid)
    if kept is None or kept[0] != key:
        kept = (key, _deployment(cloud, record, bentos).model_dump_json().encode())
        WRITTEN[record.uid] = kept
        if len(WRITTEN) > MOST_WRITTEN:
            del WRITTEN[next(iter(WRITTEN))]
    return kept[1]


def _deployment(cloud: Cloud, record: DeploymentRecord, bentos: Bentos | None = None) -> Deployment:
    view = cloud.view(record.name)
    return Deployment(
        uid=record.uid,
        name=record.name,
        labels=[Label.model_validate(label) for label in record.config["labels"]],
        created_at=record.created_at,
        updated_at=record.updated_at,
        status=view.status.value,
        creator=_creator(record),
        cluster=cluster(),
        latest_revision=_revision(cloud, record, {} if bentos is None else bentos),
        manifest={"dev": record.dev, "routing": _routing(record)},
        urls=[view.url] if view.url else [],
    )


def _revision(cloud: Cloud, record: DeploymentRecord, bentos: Bentos) -> DeploymentRevision:
    shared: dict[str, Any] = {
        "uid": record.revision_uid,
        "created_at": record.updated_at,
        "updated_at": record.updated_at,
        "creator": _creator(record),
    }
    versions = {MAIN: {**record.config, "bento": record.bento}, **_canaries(record)}
    targets = [
        DeploymentTarget(
            name=name,
            config={key: value for key, value in version.items() if key not in ("bento", "weight")},
            bento=_bento(cloud, version["bento"], bentos),
            **shared,
        )
        for name, version in versions.items()
    ]
    return DeploymentRevision(name=str(record.revision), status="active", targets=targets, **shared)


def _canaries(record: DeploymentRecord) -> dict[str, dict[str, Any]]:
    return dict((record.config.get("canary") or {}).get("versions") or {})


def _routing(record: DeploymentRecord) -> dict[str, Any] | None:
    """How requests are shared out; the client looks each canary's weight up there."""
    canary = record.config.get("canary")
    if not canary:
        return None
    weights = {name: version["weight"] for name, version in _canaries(record).items()}
    return {
        "route_type": canary["route_type"],
        "route_by": canary["route_by"],
        "weights": {MAIN: 100 - sum(weights.values()), **weights},
    }


def _bento(cloud: Cloud, tag: str, known: Bentos) -> BentoWithRepository | None:
    bento = _bento_record(cloud, tag, known)
    return None if bento is None else BENTOS.package_with_repository(bento, cloud.store)


def _bento_record(cloud: Cloud, tag: str, known: Bentos) -> BentoRecord | None:
    if tag not in known:
        known[tag] = cloud.store.bentos.get(*_tag(tag))
    return known[tag]


def _creator(record: DeploymentRecord) -> Any:
    return owner().model_copy(update={"name": record.creator})


_BASE = "/api/v2/deployments"
_ONE = f"{_BASE}/{{name}}"
routes = [
    Call(f"GET {_BASE}", list_all, query=DeploymentsQuery, answer=ListOf[Deployment]),
    Call(f"POST {_BASE}", create, query=ClusterQuery, body=CreateDeployment, answer=Deployment),
    Call(f"GET {_ONE}", get, query=ClusterQuery, answer=Deployment),
    Call(f"PUT {_ONE}", update, query=ClusterQuery, body=UpdateDeployment, answer=Deployment),
    Call(f"DELETE {_ONE}", delete, query=ClusterQuery, answer=Deployment),
    Call(f"PUT {_ONE}/void_update", void_update, query=ClusterQuery, answer=Deployment),
    Call(f"POST {_ONE}/terminate", terminate, query=ClusterQuery, answer=Deployment),
]
