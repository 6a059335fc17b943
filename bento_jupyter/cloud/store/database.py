"""The SQLite database: how it is opened, migrated, read and written."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ...errors import DatabaseVersionError

__all__ = ["Database", "says_disk_is_full"]

MIGRATIONS = Path(__file__).parent / "migrations"
#: Backups that are kept.
KEPT_BACKUPS = 3
#: What systems say when nothing more can be written: no space, no quota, file too large.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
#: What SQLite says then; the last when the limit is not that of the disk.
FULL_WORDS = ("database or disk is full", "disk I/O error")


def says_disk_is_full(error: BaseException) -> bool:
    """Whether an error of the disk or the database says that nothing more can be written."""
    if isinstance(error, OperationalError):
        return any(words in str(error.orig) for words in FULL_WORDS)
    return isinstance(error, OSError) and error.errno in FULL


class Database:
    """One SQLite file, in WAL mode, migrated to the newest schema when opened.

    `synchronous=NORMAL`: what was committed survives the death of the process at any point; a power
    cut can take the last commits but never the file's consistency.

    Before a migration the database is copied to `<file>.<its revision>.bak`; the newest three are kept.

    Args:
        path: The file; made when missing.

    Raises:
        DatabaseVersionError: A newer version of this program has written it; nothing was changed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = create_engine(URL.create("sqlite", database=str(path)))
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        self._migrate()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database throughout."""
        with Session(self._engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that is committed at the end, or rolled back when the block raises.

        It takes the write lock first, so two writers wait for each other instead of failing halfway.
        """
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def change(self) -> Iterator[Connection]:
        """What `write` does, for statements that need no objects."""
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _migrate(self) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        scripts = ScriptDirectory.from_config(config)
        present = _revision(self._path)
        if present == scripts.get_current_head():
            return
        if present is not None and present not in {script.revision for script in scripts.walk_revisions()}:
            raise DatabaseVersionError(
                f"{self._path} was written by a newer version of bento_jupyter (schema {present!r}; this "
                f"one knows up to {scripts.get_current_head()!r})",
                hint="update bento_jupyter, or set BENTO_JUPYTER_HOME to another folder",
            )
        if present is not None:
            self._back_up(present)
        with self._writer.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _back_up(self, revision: str) -> None:
        backup = self._path.with_name(f"{self._path.name}.{revision}.bak")
        unfinished = backup.with_suffix(".tmp")
        with closing(sqlite3.connect(self._path)) as source, closing(sqlite3.connect(unfinished)) as target:
            source.backup(target)
        unfinished.chmod(0o600)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, backup)
        backups = sorted(
            self._path.parent.glob(f"{self._path.name}.*.bak"), key=lambda path: path.stat().st_mtime_ns
        )
        for old in backups[:-KEPT_BACKUPS]:
            old.unlink(missing_ok=True)

    @property
    def engine(self) -> Engine:
        """The engine, for tools that inspect the schema."""
        return self._engine


def _revision(path: Path) -> str | None:
    """The schema that a database has; None = it is still empty, or not there."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "alembic_version" not in tables:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _configure(connection: Any, _record: Any) -> None:
    # The driver would begin transactions on its own, late; `_begin` says when.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
