"""Ports: one per deployment that stays its own, and the control plane's from last time."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from collections.abc import Collection
from typing import Literal

from ..errors import ConflictError
from .settings import CloudSettings

__all__ = ["bind_control_plane", "free_deployment_port"]


def free_deployment_port(settings: CloudSettings, taken: Collection[int]) -> int:
    """A port that no deployment has and nobody listens on.

    The search begins at a place in the range that depends on the home, so that several clouds on one
    machine do not hand out the same ports while one of them is stopped.

    Args:
        settings: Host and range.
        taken: Ports of this cloud's deployments.

    Raises:
        ConflictError: The whole range is taken.
    """
    first, last = settings.first_deployment_port, settings.last_deployment_port
    size = last - first + 1
    digest = hashlib.sha256(os.fsencode(settings.home.root)).digest()
    start = int.from_bytes(digest[:4], "big") % max(1, size)
    for step in range(size):
        port = first + (start + step) % size
        if port not in taken and _can_bind(settings.host, port):
            return port
    raise ConflictError(
        f"no free port between {first} and {last} for another deployment",
        hint="delete deployments that are no longer needed",
    )


def bind_control_plane(settings: CloudSettings) -> socket.socket:
    """A listening socket for the control plane, on last time's port if that is still free.

    Saved `bentoml` contexts name the port, so it is kept in `<home>/cloud/port`.

    Raises:
        ConflictError: A port was asked for and somebody else listens on it.
    """
    memory = settings.home.cloud / "port"
    if settings.port:
        try:
            bound = _listen(settings.host, settings.port)
        except OSError as error:
            raise ConflictError(
                f"cannot listen on {settings.host}:{settings.port}: {error.strerror}",
                hint="choose another port, or 0 for any free one",
            ) from error
    else:
        try:
            bound = _listen(settings.host, int(memory.read_text(encoding="ascii")))
        except (OSError, ValueError, OverflowError):
            bound = _listen(settings.host, 0)
    memory.write_text(str(bound.getsockname()[1]), encoding="ascii")
    return bound


def _family(host: str) -> Literal[socket.AddressFamily.AF_INET, socket.AddressFamily.AF_INET6]:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _listen(host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY on what is accepted; without, each request on a kept
    # connection waits 40 ms for a delayed acknowledgement.
    listener = socket.socket(_family(host), socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def _can_bind(host: str, port: int) -> bool:
    with socket.socket(_family(host), socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            return False
    return True
