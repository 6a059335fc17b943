"""The channel to the control plane: JSON lines over an inherited socket."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, cast

__all__ = ["ControlChannel"]

_log = logging.getLogger(__name__)


class ControlChannel(asyncio.Protocol):
    """The gateway's end of the channel.

    Args:
        on_message: Called with each message.
        on_end: Called once, when the control plane has closed its end or is gone.
    """

    def __init__(self, on_message: Callable[[dict[str, Any]], None], on_end: Callable[[], None]) -> None:
        self._on_message = on_message
        self._on_end = on_end
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; it is dropped when the channel is gone, for then the gateway is about to end."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Callback of asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Callback of asyncio."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not line.strip():
                continue
            try:
                message = json.loads(line)
                self._on_message(message)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                # One bad message must not end the traffic of all deployments.
                _log.error("message from the control plane not understood: %r (%r)", line[:500], error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Callback of asyncio."""
        self._transport = None
        self._on_end()
