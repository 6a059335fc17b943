"""Follows the embedded cloud, wherever it comes from and goes to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import httpx
from pydantic import ValidationError

from ..errors import CloudError
from ..views import Event
from .hints import Coalescer, Hint
from .link import CloudLink

__all__ = ["Watcher"]

_LOG = logging.getLogger(__name__)

#: Seconds between two looks at the files of state and token while there is no cloud to listen to.
_LOOK: Final = 0.3
#: Seconds until the next try after the first, and after any number of failures in a row.
_FIRST_DELAY: Final = 0.3
_LONGEST_DELAY: Final = 3.0


class Watcher:
    """One task that turns the cloud's change feed, its coming and its going into hints.

    While the cloud runs it waits on the feed; while there is none it looks at time and size of the files that
    tell where the cloud is and what its token is. So a cloud that is started in a notebook or a shell shows
    up within a third of a second, and so does a token that it takes.

    Args:
        link: The connection to the cloud.
        emit: Takes the hints, at most five in a second.
    """

    def __init__(self, link: CloudLink, emit: Callable[[Hint], None]) -> None:
        self._link = link
        self._hints = Coalescer(emit)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; does nothing when it has begun already."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="bento_jupyter watcher")

    async def stop(self) -> None:
        """End, and wait for the end."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._hints.close()

    async def _run(self) -> None:
        delay = _FIRST_DELAY
        while True:
            before = self._link.signature()
            followed = False
            try:
                async with self._link.lines("/events") as lines:
                    # From here on no change is missed, so this is the moment to ask for everything.
                    followed = True
                    self._hints.add(Hint(cloud=True))
                    async for line in lines:
                        self._hints.add(_hint(line))
            except (CloudError, httpx.HTTPError) as error:
                _LOG.debug("bento_jupyter: no change feed: %s", error)
            except Exception:
                # A defect here must not cost the sidebar its updates until the next restart.
                _LOG.exception("bento_jupyter: the change feed broke off")
            if followed:
                delay = _FIRST_DELAY
            if await self._until_changed(before, timeout=delay if before[0] else float("inf")):
                delay = _FIRST_DELAY
                self._hints.add(Hint(cloud=True))
            elif followed:
                # The cloud is gone without a word. One that stops takes its state file away and is told
                # of above, without a moment in which it seems unreachable.
                self._hints.add(Hint(cloud=True))
            else:
                delay = min(delay * 2, _LONGEST_DELAY)

    async def _until_changed(self, before: object, *, timeout: float) -> bool:
        """Wait until a file is another one; False when `timeout` seconds passed before."""
        waited = 0.0
        while waited < timeout:
            await asyncio.sleep(_LOOK)
            waited += _LOOK
            if self._link.signature() != before:
                return True
        return False


def _hint(line: str) -> Hint:
    try:
        event = Event.model_validate_json(line)
    except ValidationError:
        # Another version's event: something changed, whatever it is.
        return Hint(cloud=True)
    if event.kind.startswith("deployment") and event.name:
        return Hint(names=[event.name], event_id=event.id)
    return Hint(cloud=True, event_id=event.id)
