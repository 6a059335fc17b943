"""Call: deployments that are called again and again are kept, with their connections."""

from __future__ import annotations

from ..client.cloud import Cloud
from ..client.deployment import Deployment
from ..client.session import chosen, latest
from .seeing import deployment

__all__ = ["called"]

_called: dict[tuple[str, str, str], Deployment] = {}


def called(name: str, *, cloud: Cloud | str | None = None) -> Deployment:
    """The deployment called `name`, to be called: the cloud is only asked the first time.

    One that is gone since, or another one of this name, shows with the call.

    Raises:
        NotFoundError: There is none; the hint has the names that are close.
    """
    there = latest() if cloud is None else None
    is_new = cloud is None and there is None
    cloud = there or chosen(cloud)
    key = (cloud.endpoint, cloud.token, name)
    if key not in _called:
        _called[key] = deployment(name, cloud=cloud)
    if is_new and cloud.embedded:
        # It may have been started just now: its gateway takes a moment until it listens.
        _called[key].wait_to_listen()
    return _called[key]
