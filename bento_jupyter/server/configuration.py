"""A deployment's configuration on BentoCloud's wire: changed in places, or written down to take elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..client.wire import read_spec
from ..errors import InvalidRequestError
from ..spec import Mode
from ..views import DeploymentView
from .deploying import masked_line
from .payloads import Change, Configuration

if TYPE_CHECKING:
    from .link import CloudLink

__all__ = ["change", "changed", "configuration_of", "without_values"]

#: Requests that an instance of an On-Demand Function works on at a time, where nobody says.
_ON_DEMAND_CONCURRENCY = 8


async def change(link: CloudLink, name: str, wanted: Change) -> DeploymentView:
    """Give a deployment a new revision with a few things changed.

    Args:
        link: The connection to the cloud.
        name: The deployment.
        wanted: What is to be different.

    Raises:
        InvalidRequestError: It does not fit together, or the cloud refuses it.
        CloudError: The cloud does not know the deployment, or does not answer.
    """
    body, service = await _asked(link, name)
    await link.request("PUT", f"/api/v2/deployments/{name}", body=changed(body, service, wanted))
    return await link.deployment(name)


async def configuration_of(link: CloudLink, name: str) -> Configuration:
    """What a deployment was asked to be, without the values of its variables. Raises `CloudError`."""
    import yaml  # type: ignore[import-untyped]

    document = (await link.request("GET", f"/api/v2/deployments/{name}")).json()
    told = without_values(_without_nothing({"name": name, **_body(document)}))
    return Configuration(
        yaml=yaml.safe_dump(told, sort_keys=False, allow_unicode=True),
        magic=masked_line(read_spec(document)),
    )


def changed(body: dict[str, Any], service: str, wanted: Change) -> dict[str, Any]:
    """The body of an update call, with what is wanted put in its place.

    Args:
        body: The configuration as it is.
        service: Name of the entry service, which scaling is about.
        wanted: What is to be different.

    Raises:
        InvalidRequestError: Fewest and most instances do not fit the mode, or each other.
    """
    services = dict(body.get("services") or {})
    entry = dict(services.get(service) or {})
    scaling = dict(entry.get("scaling") or {})
    overrides = dict(entry.get("config_overrides") or {})
    traffic = dict(overrides.get("traffic") or {})

    least, most = scaling.get("min_replicas"), scaling.get("max_replicas")
    before = Mode.ON_DEMAND if least == 0 else Mode.ONLINE
    mode = wanted.mode or before
    if mode is not before:
        least = 0 if mode is Mode.ON_DEMAND else 1
        traffic["concurrency"] = _ON_DEMAND_CONCURRENCY if mode is Mode.ON_DEMAND else None
        traffic["external_queue"] = mode is Mode.ON_DEMAND
    least = wanted.min if wanted.min is not None else least
    most = wanted.max if wanted.max is not None else max(most or 1, least or 0)
    if (least == 0) is not (mode is Mode.ON_DEMAND):
        raise InvalidRequestError(
            "an Online Service keeps at least 1 instance, an On-Demand Function starts at 0",
            hint="switch the mode as well",
            status_code=400,
        )
    if most < (least or 0):
        raise InvalidRequestError(f"max ({most}) is below min ({least})", status_code=400)
    if wanted.concurrency is not None:
        traffic["concurrency"] = wanted.concurrency or None

    overrides["traffic"] = {key: value for key, value in traffic.items() if value is not None}
    entry["scaling"] = {**scaling, "min_replicas": least, "max_replicas": most}
    entry["config_overrides"] = overrides
    services[service] = entry
    return {**body, "services": services, "bento": wanted.bento or body["bento"]}


def without_values(told: Any) -> Any:
    """`told` with the values of all variables (`envs`) left out."""
    if isinstance(told, dict):
        return {
            key: [{"name": item["name"]} for item in value]
            if key == "envs" and isinstance(value, list)
            else without_values(value)
            for key, value in told.items()
        }
    if isinstance(told, list):
        return [without_values(item) for item in told]
    return told


def _without_nothing(told: Any) -> Any:
    """`told` without what says nothing: nulls, and empty lists and objects."""
    if isinstance(told, dict):
        kept = {key: _without_nothing(value) for key, value in told.items()}
        return {key: value for key, value in kept.items() if value not in (None, [], {})}
    if isinstance(told, list):
        return [_without_nothing(item) for item in told]
    return told


async def _asked(link: CloudLink, name: str) -> tuple[dict[str, Any], str]:
    """What an update call would have to say to change nothing, and the name of the entry service."""
    body = _body((await link.request("GET", f"/api/v2/deployments/{name}")).json())
    view = await link.deployment(name)
    entry = next((part.service for part in view.sets if part.version == "main"), "")
    services = body.get("services") or {}
    return body, entry if entry in services else next(iter(services), entry)


def _body(document: dict[str, Any]) -> dict[str, Any]:
    """The configuration in the cloud's answer about a deployment."""
    targets = (document.get("latest_revision") or {}).get("targets") or []
    main = next((target for target in targets if target["name"] == "main"), targets[0])
    bento = main.get("bento") or {}
    labels = [{"key": item["key"], "value": item["value"]} for item in document.get("labels") or []]
    tag = f"{bento['repository']['name']}:{bento['version']}" if bento else ""
    return {"bento": tag, **main["config"], "labels": labels}
