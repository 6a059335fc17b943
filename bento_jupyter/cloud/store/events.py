"""The change feed, kept: what happened in the cloud, in order."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from ...spec import Event
from .database import Database
from .tables import EventRow

__all__ = ["Events"]


class Events:
    """The newest events.

    Args:
        database: Where they are kept.
        keep: How many are kept.
    """

    def __init__(self, database: Database, keep: int = 10_000) -> None:
        self._database = database
        self._keep = keep

    def append(self, kind: str, name: str, message: str) -> Event:
        """Write an event down; see `spec.Event` for the kinds."""
        with self._database.write() as session:
            row = EventRow(kind=kind, name=name, message=message)
            session.add(row)
            session.flush()
            session.execute(delete(EventRow).where(EventRow.id <= row.id - self._keep))
            return _event(row)

    def since(self, after_id: int) -> list[Event]:
        """The events after this id that are still kept, oldest first."""
        with self._database.read() as session:
            rows = session.scalars(select(EventRow).where(EventRow.id > after_id).order_by(EventRow.id))
            return [_event(row) for row in rows]

    def last_id(self) -> int:
        """Id of the newest event; 0 before the first."""
        with self._database.read() as session:
            return session.scalar(select(func.max(EventRow.id))) or 0

    def first_id(self) -> int:
        """Id of the oldest event that is kept; 0 before the first."""
        with self._database.read() as session:
            return session.scalar(select(func.min(EventRow.id))) or 0


def _event(row: EventRow) -> Event:
    return Event(id=row.id, at=row.at, kind=row.kind, name=row.name, message=row.message)
