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

#: Seconds between two looks at the files of state and token.
_LOOK: Final = 0.3
#: Seconds until the next try after the first, and after any number of failures in a row.
_FIRST_DELAY: Final = 0.3
_LONGEST_DELAY: Final = 3.0


class Watcher:
    """One task that turns the cloud's change feed, its coming and its going into hints.

    While the cloud runs it waits on the feed, and all the time it looks at time and size of the files that
    tell where the cloud is and what its token is. So a cloud that is started in a notebook or a shell shows
    up within a third of a second, and so does another token.

    Args:
        link: The connection to the cloud.
        emit: Takes the hints, at most five in a second.
    """

    def __init__(self, link: CloudLink, emit: Callable[[Hint], None]) -> None:
        self._link = link
        self._hints = Coalescer(emit)
        self._any = Hint(context=link.context, cloud=True)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; does nothing when it has begun already."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="bento_jupyter watcher")

    def cancel(self) -> asyncio.Task[None] | None:
        """End soon; what comes to its end, if it ever began."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        self._hints.close()
        return task

    async def stop(self) -> None:
        """End, and wait for the end."""
        task = self.cancel()
        if task is not None:
            await asyncio.wait([task])

    async def _run(self) -> None:
        delay = _FIRST_DELAY
        while True:
            before = self._link.signature()
            followed = await self._follow(before)
            if followed:
                delay = _FIRST_DELAY
            if await self._until_changed(before, timeout=delay if before[0] else float("inf")):
                delay = _FIRST_DELAY
                self._hints.add(self._any)
            elif followed:
                # The cloud is gone without a word. One that stops takes its state file away and is told
                # of above, without a moment in which it seems unreachable.
                self._hints.add(self._any)
            else:
                delay = min(delay * 2, _LONGEST_DELAY)

    async def _follow(self, before: object) -> bool:
        """Pass the change feed on until it ends or a file is another one; whether there was a feed."""
        feed = asyncio.get_running_loop().create_task(self._feed(), name="bento_jupyter change feed")
        try:
            while not (await asyncio.wait([feed], timeout=_LOOK))[0]:
                if self._link.signature() != before:
                    break
        finally:
            feed.cancel()
            await asyncio.wait([feed])
        return feed.cancelled() or feed.result()

    async def _feed(self) -> bool:
        """Pass the change feed on until it ends; whether there was one."""
        followed = False
        try:
            async with self._link.lines("/events") as lines:
                # From here on no change is missed, so this is the moment to ask for everything.
                followed = True
                self._hints.add(self._any)
                async for line in lines:
                    self._hints.add(self._hint(line))
        except (CloudError, httpx.HTTPError) as error:
            _LOG.debug("bento_jupyter: no change feed: %s", error)
        except Exception:
            # A defect here must not cost the sidebar its updates until the next restart.
            _LOG.exception("bento_jupyter: the change feed broke off")
        return followed

    async def _until_changed(self, before: object, *, timeout: float) -> bool:
        """Wait until a file is another one; False when `timeout` seconds passed before."""
        waited = 0.0
        while self._link.signature() == before:
            if waited >= timeout:
                return False
            await asyncio.sleep(_LOOK)
            waited += _LOOK
        return True

    def _hint(self, line: str) -> Hint:
        try:
            event = Event.model_validate_json(line)
        except ValidationError:
            # Another version's event: something changed, whatever it is.
            return self._any
        if event.kind.startswith("deployment") and event.name:
            return Hint(context=self._any.context, names=[event.name], event_id=event.id)
        return self._any.model_copy(update={"event_id": event.id})
