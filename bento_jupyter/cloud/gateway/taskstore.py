"""Tasks that are kept: a SQLite file of the gateway's own, used by one thread of its own.

A task is written before its caller hears of it, and marked as begun before a replica gets it: whatever is
killed when, none is lost and none runs twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["KEPT_SECONDS", "Status", "TaskRow", "TaskStore"]

T = TypeVar("T")

#: Seconds for which a task may wait and run, and then for which its result is kept: as BentoML does.
KEPT_SECONDS = 24 * 3600.0
#: Seconds between two looks for tasks that are too old.
_PRUNE_INTERVAL = 600.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS task (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    place TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    executed_at REAL,
    completed_at REAL,
    request BLOB NOT NULL,
    head BLOB,
    content BLOB
);
CREATE INDEX IF NOT EXISTS task_owner ON task (owner, status, created_at);
CREATE INDEX IF NOT EXISTS task_completed ON task (completed_at);
"""


class Status:
    """The words of BentoML's `ResultStatus`."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True)
class TaskRow:
    """What is known of a task.

    Attributes:
        id: Its id.
        status: One of `Status`.
        created_at: Seconds since the epoch when it was submitted.
        executed_at: The same for when a replica got it; None = none did.
        completed_at: The same for its end; None = it has not ended.
        place: Name of the set of replicas that runs it.
    """

    id: str
    status: str
    created_at: float
    executed_at: float | None
    completed_at: float | None
    place: str


_ROW = "id, status, created_at, executed_at, completed_at, place"


class TaskStore:
    """The tasks of all deployments. Its methods belong to the event loop, their work is done in a thread.

    Each may raise `sqlite3.Error` when the file cannot be used, or the disk is full.

    Args:
        path: Of the file; it is made when the first task comes.
        interrupted: Head and content of the answer that tasks get which ran when the gateway was killed.
        now: The clock, seconds since the epoch.
    """

    def __init__(
        self, path: str, interrupted: tuple[bytes, bytes], now: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._interrupted = interrupted
        self._now = now
        self._thread = ThreadPoolExecutor(1, "tasks")
        self._open: sqlite3.Connection | None = None
        self._pruned_at = 0.0

    def close(self) -> None:
        """Finish what was begun, then close the file."""

        def close() -> None:
            if self._open is not None:
                self._open.close()

        self._thread.submit(close)
        self._thread.shutdown()

    async def add(self, owner: str, place: str, request: bytes) -> TaskRow:
        """Keep a new task.

        Args:
            owner: Id of its deployment.
            place: Name of the set of replicas that is to run it.
            request: What a replica is to be sent.
        """
        row = TaskRow(uuid.uuid4().hex, Status.PENDING, self._now(), None, None, place)

        def work(db: sqlite3.Connection) -> TaskRow:
            values = (row.id, owner, place, row.status, row.created_at, request)
            db.execute(
                "INSERT INTO task (id, owner, place, status, created_at, request) VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
            return row

        return await self._do(work)

    async def add_again(self, owner: str, task: str, place: str) -> TaskRow | None:
        """Keep a new task with the request of an earlier one; None when there is no such."""

        def request(db: sqlite3.Connection) -> bytes | None:
            found = db.execute(
                "SELECT request FROM task WHERE id = ? AND owner = ?", (task, owner)
            ).fetchone()
            return found[0] if found else None

        again = await self._do(request)
        return None if again is None else await self.add(owner, place, again)

    async def get(self, owner: str, task: str) -> TaskRow | None:
        """What is known of a task of this owner; None when there is no such."""

        def work(db: sqlite3.Connection) -> TaskRow | None:
            found = db.execute(
                f"SELECT {_ROW} FROM task WHERE id = ? AND owner = ?",  # noqa: S608
                (task, owner),
            ).fetchone()
            return TaskRow(*found) if found else None

        return await self._do(work)

    async def answer(self, task: str) -> tuple[bytes, bytes] | None:
        """Head (status line and fields) and content of a task's answer; None while there is none."""

        def work(db: sqlite3.Connection) -> tuple[bytes, bytes] | None:
            found = db.execute("SELECT head, content FROM task WHERE id = ?", (task,)).fetchone()
            return (found[0], found[1]) if found and found[0] is not None else None

        return await self._do(work)

    async def pending(self, owner: str, place: str) -> list[TaskRow]:
        """The tasks that wait there, in the order in which they came."""

        def work(db: sqlite3.Connection) -> list[TaskRow]:
            query = (
                f"SELECT {_ROW} FROM task WHERE owner = ? AND status = ? AND place = ? "  # noqa: S608
                "ORDER BY created_at, rowid"
            )
            return [TaskRow(*found) for found in db.execute(query, (owner, Status.PENDING, place))]

        return await self._do(work)

    async def begin(self, task: str) -> bytes | None:
        """Mark a waiting task as begun: from now on it is never run again.

        Returns:
            What the replica is to be sent; None when the task does not wait any more.
        """

        def work(db: sqlite3.Connection) -> bytes | None:
            values = (Status.IN_PROGRESS, self._now(), task, Status.PENDING)
            done = db.execute(
                "UPDATE task SET status = ?, executed_at = ? WHERE id = ? AND status = ?", values
            )
            if not done.rowcount:
                return None
            request: bytes = db.execute("SELECT request FROM task WHERE id = ?", (task,)).fetchone()[0]
            return request

        return await self._do(work)

    async def give_back(self, task: str) -> None:
        """A task that was begun, but of which no replica was sent a byte, waits again."""

        def work(db: sqlite3.Connection) -> None:
            values = (Status.PENDING, task, Status.IN_PROGRESS)
            db.execute("UPDATE task SET status = ?, executed_at = NULL WHERE id = ? AND status = ?", values)

        await self._do(work)

    async def end(self, task: str, status: str, head: bytes | None, content: bytes) -> bool:
        """A task has ended; the first end counts.

        Args:
            task: Its id.
            status: `completed`, `failed` or `canceled`.
            head: Status line and fields of its answer, each with its line end; None = it has no answer.
            content: Content of its answer.

        Returns:
            False when it had ended before.
        """

        def work(db: sqlite3.Connection) -> bool:
            values = (status, self._now(), head, content, task)
            query = (
                "UPDATE task SET status = ?, completed_at = ?, head = ?, content = ? "
                "WHERE id = ? AND completed_at IS NULL"
            )
            return bool(db.execute(query, values).rowcount)

        return await self._do(work)

    async def forget(self, owner: str) -> None:
        """Delete all tasks of a deployment that is no more."""
        await self._do(lambda db: db.execute("DELETE FROM task WHERE owner = ?", (owner,)))

    # In the thread

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            db = self._database()
            with db:  # one transaction
                return work(db)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _database(self) -> sqlite3.Connection:
        if self._open is None:
            # The gateway before this one may take a moment to end; each has the file for itself.
            db = sqlite3.connect(self._path, timeout=10.0, check_same_thread=False)
            try:
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")
                db.execute("PRAGMA locking_mode = EXCLUSIVE")
                db.execute("PRAGMA journal_mode = WAL")
                # A commit survives a kill; a power cut may take the last ones.
                db.execute("PRAGMA synchronous = NORMAL")
                db.executescript(_SCHEMA)
                with db:
                    values = (Status.FAILED, self._now(), *self._interrupted, Status.IN_PROGRESS)
                    db.execute(
                        "UPDATE task SET status = ?, completed_at = ?, head = ?, content = ? "
                        "WHERE status = ?",
                        values,
                    )
            except BaseException:
                db.close()
                raise
            self._open = db
        if self._now() - self._pruned_at > _PRUNE_INTERVAL:
            self._prune(self._open)
        return self._open

    def _prune(self, db: sqlite3.Connection) -> None:
        """Delete what ended too long ago, and give its room back to the disk."""
        self._pruned_at = self._now()
        with contextlib.suppress(sqlite3.OperationalError), db:  # a full disk: another time
            db.execute("DELETE FROM task WHERE completed_at < ?", (self._now() - KEPT_SECONDS,))
        with contextlib.suppress(sqlite3.OperationalError):
            db.execute("PRAGMA incremental_vacuum").fetchall()
