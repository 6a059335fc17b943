"""See: what a cloud has."""

from __future__ import annotations

from typing import Any

from ..client.cloud import Cloud
from ..client.deployment import Deployment
from ..client.session import chosen, peek
from ..client.session import clouds as known_clouds
from ..display.tables import Table
from ..errors import NotFoundError
from ..views import InstanceType

__all__ = ["bentos", "clouds", "deployment", "deployments", "instance_types", "models"]


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


def clouds() -> Table:
    """The clouds that `--cloud` and `cloud=` can name: which is the current one, which this machine's.

    Nobody is asked, nothing is started.
    """
    here = peek()
    rows = []
    for cloud in known_clouds():
        is_current = here is not None and (cloud.name, cloud.endpoint) == (here.name, here.endpoint)
        kind = "embedded" if cloud.embedded else "remote"
        rows.append([cloud.name, "●" if is_current else "", kind, cloud.endpoint])
    return Table(["name", "current", "kind", "endpoint"], rows, empty="no clouds yet: %bento_login")


def bentos(*, cloud: Cloud | str | None = None) -> list[dict[str, Any]]:
    """Bentos in a cloud's registry, newest first."""
    return chosen(cloud).bentos()


def models(*, cloud: Cloud | str | None = None) -> list[dict[str, Any]]:
    """Models in a cloud's registry, newest first."""
    return chosen(cloud).models()


def instance_types(*, cloud: Cloud | str | None = None) -> list[InstanceType]:
    """Sizes of instances that a cloud offers."""
    return chosen(cloud).instance_types()
