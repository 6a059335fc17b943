"""The change feed, kept: what happened in the cloud, in order."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select

from ...spec import utc_now
from ...views import Event
from .database import Database
from .tables import EventRow

__all__ = ["Events"]


class Events:
    """The newest events.

    An event that tells of counters only (it has no message) takes the place of the one before of the same
    deployment: whoever missed both needs the newer one only, and busy deployments do not push out what
    happened to the others.

    Args:
        database: Where they are kept.
        keep: How many are kept, and up to a hundredth more.
    """

    def __init__(self, database: Database, keep: int = 10_000) -> None:
        self._database = database
        self._keep = keep
        self._trim_every = max(1, keep // 100)
        self._counters: dict[str, int] = {}
        with database.read() as session:
            newest = select(func.max(EventRow.id)).where(EventRow.message == "").group_by(EventRow.name)
            for row in session.scalars(select(EventRow).where(EventRow.id.in_(newest))):
                self._counters[row.name] = row.id
            #: Events up to this id may be missing.
            self._forgotten = (session.scalar(select(func.min(EventRow.id))) or 1) - 1

    def append(
        self, kind: str, name: str, message: str, *, reason: str = "", revision: int | None = None
    ) -> Event:
        """Write an event down; see `views.Event` for the fields."""
        told = {"kind": kind, "name": name, "message": message, "reason": reason, "revision": revision}
        at = utc_now()
        # Each step of each deployment is an event: without the unit of work they cost a third.
        with self._database.change() as connection:
            event_id = connection.execute(_INSERT, {"at": at, **told}).lastrowid
            superseded = None if message else self._counters.get(name)
            if superseded is not None:
                connection.execute(_DELETE, {"superseded": superseded})
            forgotten = self._forgotten
            if event_id % self._trim_every == 0:
                oldest = select(EventRow.id).order_by(EventRow.id.desc()).offset(self._keep - 1).limit(1)
                forgotten = max(forgotten, (connection.scalar(oldest) or 1) - 1)
                connection.execute(delete(EventRow).where(EventRow.id <= forgotten))
        event = Event(
            id=event_id, at=at, kind=kind, name=name, message=message, reason=reason, revision=revision
        )
        self._forgotten = forgotten
        if not message:
            self._counters[name] = event.id
        elif kind == "deployment-deleted":
            self._counters.pop(name, None)
        return event

    def since(self, after_id: int) -> list[Event]:
        """The events after this id that are still kept, oldest first."""
        with self._database.read() as session:
            rows = session.scalars(select(EventRow).where(EventRow.id > after_id).order_by(EventRow.id))
            return [_event(row) for row in rows]

    def of(self, name: str, since: datetime, most: int) -> list[Event]:
        """What happened to a deployment or Bento, without mere counters, newest first.

        Args:
            name: Its name.
            since: Nothing before this: an earlier deployment may have had the same name.
            most: How many at most.
        """
        query = (
            select(EventRow)
            .where(EventRow.name == name, EventRow.message != "", EventRow.at >= since)
            .order_by(EventRow.id.desc())
            .limit(most)
        )
        with self._database.read() as session:
            return [_event(row) for row in session.scalars(query)]

    def last_id(self) -> int:
        """Id of the newest event; 0 before the first."""
        with self._database.read() as session:
            return session.scalar(select(func.max(EventRow.id))) or 0

    @property
    def forgotten(self) -> int:
        """Events up to this id are not kept any more; 0 = all are."""
        return self._forgotten


_INSERT = insert(EventRow)
_DELETE = delete(EventRow).where(EventRow.id == bindparam("superseded"))


def _event(row: EventRow) -> Event:
    return Event(
        id=row.id,
        at=row.at,
        kind=row.kind,
        name=row.name,
        message=row.message,
        reason=row.reason,
        revision=row.revision,
    )
