"""Names that completion offers, asked for in the background: a completer must wait for nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import BentoJupyterError

if TYPE_CHECKING:
    from ..client.cloud import Cloud

__all__ = ["Names"]

#: Seconds after which the names are asked for again.
FRESH = 5.0


class Names:
    """The names known so far; looking at some has them asked for, for the next time.

    Example:
        >>> Names().get("deployments")  # nobody has asked before
        []
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[str]] = {}
        self._asked: dict[tuple[str, str], float] = {}

    def get(self, kind: str, cloud: str = "") -> list[str]:
        """The names of a kind that are known now; returns at once.

        Args:
            kind: `deployments`, `bentos`, `instance types`, `secrets`, `contexts`, or `endpoints of NAME`.
            cloud: Name of the cloud that has them; "" = the current one. None is started for it.
        """
        key = kind, cloud
        now = time.monotonic()
        if now - self._asked.get(key, -FRESH) >= FRESH:
            self._asked[key] = now
            threading.Thread(target=self._ask, args=key, name="bento-completion", daemon=True).start()
        return self._known.get(key, [])

    def _ask(self, kind: str, cloud: str) -> None:
        try:
            found = _names(kind, cloud)
        except BentoJupyterError:
            found = None
        if found is not None:  # else the cloud is away: what was known before is as good as anything
            self._known[kind, cloud] = found


def _names(kind: str, cloud_name: str) -> list[str] | None:
    """The names as they are now; None where there is nobody to ask."""
    from ..client import session

    if kind == "contexts":
        return [cloud.name for cloud in session.clouds()]
    named = cloud_name and cloud_name != "embedded"
    cloud = session.chosen(cloud_name) if named else session.peek()
    if kind == "bentos":
        return _bentos(cloud)
    if cloud is None:
        return None
    if kind.startswith("endpoints of "):
        schema = cloud.bento(cloud.view(kind.removeprefix("endpoints of ")).bento)["schema"]
        return [str(route.get("name", "")) for route in schema.get("routes", [])]
    return _ASKED[kind](cloud)


def _bentos(cloud: Cloud | None) -> list[str]:
    from ..client.local import local_bentos

    items = [*local_bentos(), *(cloud.bentos() if cloud is not None else [])]
    return list(dict.fromkeys(item["tag"] for item in items))


_ASKED: dict[str, Callable[[Cloud], list[str]]] = {
    "deployments": lambda cloud: [view.name for view in cloud.deployments()],
    "instance types": lambda cloud: [item.name for item in cloud.instance_types()],
    "secrets": lambda cloud: cloud.secrets(),
}
