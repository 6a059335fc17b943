"""A deployment's configuration on BentoCloud's wire: changed in places, or written down to take elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InvalidRequestError
from ..service_spec import ServiceSpec
from ..spec import DeploymentSpec
from ..views import DeploymentView
from .payloads import Change, Configuration

if TYPE_CHECKING:
    from .link import CloudLink

__all__ = ["change", "changed", "configuration_of", "without_values"]

#: Labels that are ours, not the user's.
_OURS = "bento-jupyter."


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
    before, entry = await _asked(link, name)
    body = changed(before, entry, wanted).to_wire(entry)
    body = {key: value for key, value in body.items() if key not in ("name", "dev")}
    await link.request("PUT", f"/api/v2/deployments/{name}", body=body)
    return await link.deployment(name)


async def configuration_of(link: CloudLink, name: str) -> Configuration:
    """What a deployment was asked to be, without the values of its variables. Raises `CloudError`."""
    import yaml  # type: ignore[import-untyped]

    spec, entry = await _asked(link, name)
    told = without_values(_without_nothing(spec.to_wire(entry)))
    told.pop("dev", None)
    return Configuration(
        yaml=yaml.safe_dump(told, sort_keys=False, allow_unicode=True), magic=magic_line(spec, link.context)
    )


def changed(before: DeploymentSpec, entry: str, wanted: Change) -> DeploymentSpec:
    """What is wanted of a deployment, whole.

    Args:
        before: What it was asked to be.
        entry: Name of its entry service.
        wanted: What is to be different.

    Raises:
        InvalidRequestError: Fewest and most instances do not fit the mode, or each other.
    """
    from ..client.changing import completed

    given = wanted.model_dump(exclude_none=True, exclude={"bento"})
    if wanted.concurrency == 0:
        given["concurrency"] = None
    if wanted.min is not None and wanted.max is None:
        given["max"] = max(before.max or 1, wanted.min)
    try:
        return completed(before, given, wanted.bento or before.bento, entry)
    except InvalidRequestError as error:
        raise InvalidRequestError(error.message, hint="is it the mode that fits?", status_code=400) from error


def magic_line(spec: DeploymentSpec, context: str = "") -> str:
    """The `%bento_deploy` line that asks for the same; the call, where a line cannot say it.

    Values of variables never leave the Jupyter server: a comment names those that are to be given.

    Args:
        spec: What is asked for.
        context: Of which cloud; "" = of the embedded one.
    """
    from ..spelling import to_call, to_line

    canaries = {name: each.model_copy(update=_bare(each)) for name, each in spec.canary.versions.items()}
    shown = spec.model_copy(
        update={
            **_bare(spec),
            "envs": {},
            "labels": {key: value for key, value in spec.labels.items() if not key.startswith(_OURS)},
            "canary": spec.canary.model_copy(update={"versions": canaries}),
        }
    )
    named: list[Any] = [spec, *spec.services.values()]
    for version in spec.canary.versions.values():
        named += [version, *version.services.values()]
    names = sorted({name for each in named for name in each.envs or {}})
    comment = f"  # and the values of its variables: {', '.join(names)}" if names else ""
    try:
        return to_line(shown, cloud=context) + comment
    except ValueError:
        return to_call(shown, cloud=context) + comment


def _bare(spec: Any) -> dict[str, Any]:
    """What to change about a version so that no values of variables are in it."""
    services: dict[str, ServiceSpec] = spec.services
    return {
        "envs": None,
        "services": {name: each.model_copy(update={"envs": {}}) for name, each in services.items()},
    }


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


async def _asked(link: CloudLink, name: str) -> tuple[DeploymentSpec, str]:
    """What a deployment was asked to be, and the name of its entry service."""
    from ..client.wire import read_entry, read_spec

    answer = (await link.request("GET", f"/api/v2/deployments/{name}")).json()
    return read_spec(answer), read_entry(answer)
