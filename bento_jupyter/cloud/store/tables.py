"""The tables. A change here needs a migration in `migrations/versions/`; a test compares the two."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

from ...spec import utc_now

__all__ = [
    "ApiTokenRow",
    "Base",
    "BentoRepositoryRow",
    "BentoRow",
    "DeploymentRow",
    "EventRow",
    "ModelRepositoryRow",
    "ModelRow",
    "PackageColumns",
    "RepositoryColumns",
    "RevisionRow",
    "SecretRow",
]


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC without a zone in SQLite."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return None if value is None else value.astimezone(timezone.utc).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else value.replace(tzinfo=timezone.utc)


def new_uid() -> str:
    """An id that nothing else has."""
    return uuid.uuid4().hex


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {  # noqa: RUF012
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


class RepositoryColumns(Base):
    """Columns of a repository of Bentos or models."""

    __abstract__ = True

    name: Mapped[str] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(default=new_uid, unique=True)
    description: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class PackageColumns(Base):
    """Columns of one version of a Bento or model.

    `staged` holds what a re-push has announced until its content is there: a push that breaks off
    leaves the earlier version whole.
    """

    __abstract__ = True

    uid: Mapped[str] = mapped_column(primary_key=True, default=new_uid)
    name: Mapped[str]
    version: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    manifest: Mapped[dict[str, Any]] = mapped_column(default=dict)
    labels: Mapped[dict[str, Any]] = mapped_column(default=dict)
    staged: Mapped[dict[str, Any]] = mapped_column(default=dict)
    upload_status: Mapped[str] = mapped_column(default="pending")
    upload_reason: Mapped[str] = mapped_column(default="")
    digest: Mapped[str] = mapped_column(default="")
    size_bytes: Mapped[int] = mapped_column(default=0)
    build_at: Mapped[datetime | None]
    upload_started_at: Mapped[datetime | None]
    upload_finished_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


class BentoRepositoryRow(RepositoryColumns):
    """A repository of Bentos."""

    __tablename__ = "bento_repositories"


class BentoRow(PackageColumns):
    """A Bento."""

    __tablename__ = "bentos"
    __table_args__ = (UniqueConstraint("name", "version"),)

    @declared_attr
    def name(cls) -> Mapped[str]:  # noqa: N805
        """Name of its repository."""
        return mapped_column(ForeignKey("bento_repositories.name"), nullable=False)


class ModelRepositoryRow(RepositoryColumns):
    """A repository of models."""

    __tablename__ = "model_repositories"


class ModelRow(PackageColumns):
    """A model."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("name", "version"),)

    @declared_attr
    def name(cls) -> Mapped[str]:  # noqa: N805
        """Name of its repository."""
        return mapped_column(ForeignKey("model_repositories.name"), nullable=False)


class DeploymentRow(Base):
    """A deployment; its port is its own until it is deleted."""

    __tablename__ = "deployments"

    uid: Mapped[str] = mapped_column(primary_key=True, default=new_uid)
    name: Mapped[str] = mapped_column(unique=True)
    port: Mapped[int] = mapped_column(unique=True)
    dev: Mapped[bool] = mapped_column(default=False)
    terminated: Mapped[bool] = mapped_column(default=False)
    restarts: Mapped[int] = mapped_column(default=0)
    creator: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class RevisionRow(Base):
    """What a deployment was asked to be at one time; exactly one is active."""

    __tablename__ = "revisions"
    __table_args__ = (UniqueConstraint("deployment_uid", "number"),)

    uid: Mapped[str] = mapped_column(primary_key=True, default=new_uid)
    deployment_uid: Mapped[str] = mapped_column(ForeignKey("deployments.uid", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    bento: Mapped[str]
    config: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(default=True)
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class EventRow(Base):
    """An event; AUTOINCREMENT, so that an id is never used twice, also when the newest are deleted."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_name", "name", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    revision: Mapped[int | None]


class ApiTokenRow(Base):
    """A token that was given out, by its hash."""

    __tablename__ = "api_tokens"

    uid: Mapped[str] = mapped_column(primary_key=True, default=new_uid)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    scopes: Mapped[list[str]]
    sha256: Mapped[str] = mapped_column(unique=True)
    ending: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expired_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class SecretRow(Base):
    """A secret, with its values: the database is the one place that has them, 0600."""

    __tablename__ = "secrets"

    uid: Mapped[str] = mapped_column(primary_key=True, default=new_uid)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="")
    kind: Mapped[str]
    path: Mapped[str] = mapped_column(default="")
    stage: Mapped[str]
    items: Mapped[list[dict[str, Any]]]
    creator: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
