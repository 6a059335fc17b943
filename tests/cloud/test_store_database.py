"""Migrations: a backup first, and nothing touched that a newer program has written."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from running_cloud import clean_environment
from sqlalchemy import create_engine

from bento_jupyter.cloud.store import database
from bento_jupyter.cloud.store.database import Database
from bento_jupyter.errors import DatabaseVersionError

NEWER = """
revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None

def upgrade():
    from alembic import op
    import sqlalchemy as sa
    op.create_table("added_by_{revision}", sa.Column("id", sa.Integer(), primary_key=True))
    {more}
"""


@pytest.fixture
def migrations(tmp_path, monkeypatch) -> Path:
    """The program's migrations, to which a test may add."""
    copy = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, copy)
    monkeypatch.setattr(database, "MIGRATIONS", copy)
    return copy


def head(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def add(migrations: Path, before: str, revision: str, more: str = "") -> str:
    text = NEWER.format(revision=revision, before=before, more=more)
    (migrations / "versions" / f"{revision}_more.py").write_text(text)
    return revision


def test_each_migration_leaves_a_backup_of_before_and_three_are_kept(tmp_path, migrations):
    path = tmp_path / "cloud.db"
    Database(path).close()
    first = revision = head(path)
    assert list(tmp_path.glob("*.bak")) == [], "there was nothing to lose"
    for number in range(5):
        revision = add(migrations, revision, f"9{number:03}")
        Database(path).close()
        assert head(path) == revision
    assert {backup.name for backup in tmp_path.glob("*.bak")} == {
        "cloud.db.9001.bak",
        "cloud.db.9002.bak",
        "cloud.db.9003.bak",
    }
    backup = tmp_path / "cloud.db.9003.bak"
    assert head(backup) == "9003"
    assert "added_by_9003" in tables(backup)
    assert "added_by_9004" not in tables(backup)
    assert backup.stat().st_mode & 0o077 == 0
    assert first != revision


def test_a_migration_that_fails_changes_nothing(tmp_path, migrations):
    path = tmp_path / "cloud.db"
    Database(path).close()
    first = head(path)
    add(migrations, first, "9000", more='raise RuntimeError("half way")')
    with pytest.raises(RuntimeError, match="half way"):
        Database(path)
    assert head(path) == first
    assert "added_by_9000" not in tables(path)


def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path):
    home = tmp_path / "home"
    path = home / "cloud" / "cloud.db"
    path.parent.mkdir(parents=True)
    Database(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    (home / "cloud" / "incoming").mkdir()
    before = path.read_bytes()
    with pytest.raises(DatabaseVersionError, match="9999"):
        Database(path)
    done = subprocess.run(
        [sys.executable, "-m", "bento_jupyter.cloud", "--home", str(home)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    said = done.stderr + (home / "logs" / "cloud.log").read_text()
    assert "newer version of bento_jupyter" in said
    assert path.read_bytes() == before
    assert list(path.parent.glob("*.bak")) == []


def test_no_migration_touches_what_the_first_schema_kept(tmp_path):
    """From the very first schema to the newest, with a row in it."""
    path = tmp_path / "cloud.db"
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO events (at, kind, name, message) VALUES ('2026-01-01', 'cloud', '', 'kept')"
        )
    engine.dispose()
    Database(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT message FROM events").fetchall() == [("kept",)]
