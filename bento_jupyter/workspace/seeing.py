"""See: what a cloud has."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from ..client import contexts, embedded
from ..client.cloud import Cloud
from ..client.deployment import Deployment
from ..client.local import local_bentos
from ..client.session import chosen, session_cloud
from ..errors import NotFoundError
from ..views import InstanceType

__all__ = ["bentos", "deployment", "deployments", "instance_types", "listed", "models"]


def deployment(name: str, *, cloud: Cloud | str | None = None) -> Deployment:
    """The deployment called `name`.

    Raises:
        NotFoundError: There is none; the hint has the names that are close.
    """
    cloud = chosen(cloud)
    try:
        cloud.view(name)
    except NotFoundError as error:
        from difflib import get_close_matches

        names = [view.name for view in cloud.deployments()]
        close = get_close_matches(str(name), names)
        known = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(names) or 'none'}"
        raise NotFoundError(
            f"{cloud.name} has no deployment {name!r}", hint=known, status_code=404
        ) from error
    return Deployment(cloud, name)


def deployments(*, cloud: Cloud | str | None = None) -> Any:
    """All deployments of a cloud, as a table.

    Args:
        cloud: Which, or the name of its context; None = the current one.
    """
    from ..display.cards import deployments_table

    return deployments_table(chosen(cloud).deployments())


def bentos(*, cloud: Cloud | str | None = None) -> list[dict[str, Any]]:
    """Bentos in a cloud's registry, newest first."""
    return chosen(cloud).bentos()


def models(*, cloud: Cloud | str | None = None) -> list[dict[str, Any]]:
    """Models in a cloud's registry, newest first."""
    from ..display.listings import models_table

    return models_table(chosen(cloud).models())


def instance_types(*, cloud: Cloud | str | None = None) -> list[InstanceType]:
    """Sizes of instances that a cloud offers."""
    from ..display.listings import instance_types_table

    return instance_types_table(chosen(cloud).instance_types())


def listed(kind: str, *, names: str = "*", cloud: Cloud | str | None = None) -> Any:
    """What a cloud has of one kind, as a table.

    Args:
        kind: `deployments`, `running` (deployments that run, with age, last request, owner and end), `bentos`
            (those of the local store, too), `models`, `instance-types`, `secrets` (their names), `images` or
            `clouds` (those one is logged in to).
        names: Only names (or tags) like this, e.g. `iris*`; upper and lower case are told apart.
        cloud: Which, or the name of its context; None = the current one.

    Example:
        >>> listed("bentos", names="iris*")  # doctest: +SKIP
    """
    from ..display.tables import Note

    def fits(name: str) -> bool:
        return fnmatchcase(name, names) or fnmatchcase(name.partition(":")[0], names)

    shown = _listed(kind, fits, cloud)
    return shown if len(shown) or names == "*" else Note(f"no {kind} named like {names!r}")


def _listed(kind: str, fits: Callable[[str], bool], cloud: Cloud | str | None) -> Any:
    from ..display import cards, listings

    def tagged(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [item for item in items if fits(item["tag"])]

    if kind == "clouds":
        return listings.clouds_table([item for item in _clouds() if fits(item["name"])])
    there = chosen(cloud)
    if kind == "bentos":
        return listings.bentos_table(tagged(local_bentos()), tagged(there.bentos()))
    if kind == "models":
        return listings.models_table(tagged(there.models()))
    if kind == "instance-types":
        return listings.instance_types_table([item for item in there.instance_types() if fits(item.name)])
    if kind == "secrets":
        return listings.secrets_table([name for name in there.secrets() if fits(name)])
    if kind == "images":
        return listings.images_table([image for image in there.images() if fits(image.key)])
    found = [view for view in there.deployments() if fits(view.name)]
    if kind == "running":
        return cards.running_table([view for view in found if view.ready or view.wanted])
    return cards.deployments_table(found)


def _clouds() -> list[dict[str, str]]:
    """The clouds one is logged in to, without their tokens."""
    known = {name: contexts.get(name).endpoint for name in contexts.names()}
    state, here = embedded.find(), session_cloud()
    if state is not None:
        known.setdefault(embedded.CONTEXT_NAME, state.endpoint)
    now = here.endpoint if here is not None else state.endpoint if state is not None else ""
    return [
        {"name": name, "endpoint": endpoint, "current": "current" if endpoint.rstrip("/") == now else ""}
        for name, endpoint in known.items()
    ]
