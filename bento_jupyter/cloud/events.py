"""The change feed in this process: events are written down, then handed to all who listen, in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from sqlalchemy.exc import OperationalError

from ..spec import utc_now
from ..views import Event
from .store import Store, says_disk_is_full

__all__ = ["EventFeed"]

logger = logging.getLogger(__name__)

#: Events that may pile up for a listener that does not read; after that it is told to look at everything.
LARGEST_BACKLOG = 1000


class EventFeed:
    """Appends events and hands them out.

    Only the thread of the event loop may use it: that keeps the order of ids.

    Args:
        store: Where events are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: set[asyncio.Queue[Event]] = set()
        self.last_id = store.events.last_id()

    def publish(
        self,
        kind: str,
        name: str = "",
        message: str = "",
        *,
        reason: str = "",
        revision: int | None = None,
    ) -> Event:
        """Write an event down and hand it to all who listen.

        Args:
            kind: See `views.Event`.
            name: Of which deployment or Bento.
            message: In words, one line; "" = only counters have changed.
            reason: Why, in words.
            revision: Which revision of the deployment it is about.

        Returns:
            The event; when the disk is full, one with the id of the last that was written down.
        """
        try:
            event = self._store.events.append(kind, name, message, reason=reason, revision=revision)
        except OperationalError as error:
            if not says_disk_is_full(error):
                raise
            # It tells of something that has happened all the same.
            logger.error("an event that the full disk does not take: %s %s %s", kind, name, message)
            event = Event(
                id=self.last_id,
                at=utc_now(),
                kind=kind,
                name=name,
                message=message,
                reason=reason,
                revision=revision,
            )
        self.last_id = event.id
        for queue in self._listeners:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(_look_again(event.id))
            else:
                queue.put_nowait(event)
        return event

    async def subscribe(self, after: int | None = None) -> AsyncIterator[Event]:
        """Events from now on, without end.

        Args:
            after: Id of the last event the caller knows: those after it come first. When some of them are
                not kept any more, an event of kind `cloud` comes first: look at everything again. None =
                only new ones.
        """
        queue: asyncio.Queue[Event] = asyncio.Queue(LARGEST_BACKLOG)
        missed: list[Event] = []
        if after is not None:
            missed = self._store.events.since(after)
            if after > self.last_id or after < self._store.events.forgotten:
                missed.insert(0, _look_again(min(after, self.last_id)))
        # No await between reading what was missed and listening: nothing falls between the two.
        self._listeners.add(queue)
        try:
            for event in missed:
                yield event
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)


def _look_again(event_id: int) -> Event:
    return Event(id=max(0, event_id), at=utc_now(), kind="cloud", message="events were missed")
