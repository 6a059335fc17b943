"""The embedded cloud: a BentoCloud on the user's own machine.

It is a process of its own (`python -m bento_jupyter.cloud`), spoken to over HTTP only.
It knows nothing of notebooks. The names of this package are for users and start, stop and find that process:

    >>> import bento_jupyter as bj
    >>> bj.cloud.start()      # doctest: +SKIP
    >>> bj.cloud.stop()       # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..client.embedded import find, login, start, status, stop

__all__ = ["find", "login", "start", "status", "stop"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from ..client import embedded

        return getattr(embedded, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
