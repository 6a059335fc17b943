"""Bentos and models: repositories, versions and their content. One implementation for both."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import ConflictError, InvalidRequestError, NotFoundError
from ...spec import utc_now
from .archives import Archives, IncomingArchive
from .database import Database
from .records import BentoRecord, ModelRecord, RepositoryRecord
from .tables import PackageColumns, RepositoryColumns

__all__ = ["Packages"]

RecordT = TypeVar("RecordT", BentoRecord, ModelRecord)


class Packages(Generic[RecordT]):
    """All Bentos, or all models.

    A version is registered first (`pending`) and gets its content later, at once: the archive is
    received, unpacked aside, put in place by rename, and only then `success`. Whatever breaks off on
    the way leaves what was there before.

    Args:
        database: Where they are listed.
        archives: Where uploads go.
        trees: Folder of the unpacked ones: `<trees>/<name>/<version>/`.
        kind: `bento` or `model`, for messages.
        marker: The file that each archive has at its root.
        repositories: Table of repositories.
        versions: Table of versions.
        record: Class of the records.
    """

    def __init__(
        self,
        database: Database,
        archives: Archives,
        trees: Path,
        *,
        kind: str,
        marker: str,
        repositories: type[RepositoryColumns],
        versions: type[PackageColumns],
        record: type[RecordT],
    ) -> None:
        self.kind = kind
        self._database = database
        self._archives = archives
        self._trees = trees
        self._marker = marker
        self._repositories = repositories
        self._versions = versions
        self._record: type[RecordT] = record
        self._placing = threading.Lock()

    # Repositories

    def repository(self, name: str) -> RepositoryRecord | None:
        """The repository of this name."""
        with self._database.read() as session:
            row = session.get(self._repositories, name)
            return None if row is None else _repository(row)

    def create_repository(self, name: str, description: str = "") -> RepositoryRecord:
        """The repository of this name, made when there is none."""
        with self._database.write() as session:
            row = session.get(self._repositories, name)
            if row is None:
                row = self._repositories(name=name, description=description)
                session.add(row)
                session.flush()
            return _repository(row)

    # Versions

    def get(self, name: str, version: str) -> RecordT | None:
        """One version."""
        with self._database.read() as session:
            row = self._find(session, name, version)
            return None if row is None else self._to_record(row)

    def require(self, name: str, version: str) -> RecordT:
        """One version.

        Raises:
            NotFoundError: There is none.
        """
        found = self.get(name, version)
        if found is None:
            raise self._unknown(name, version)
        return found

    def all(self, name: str | None = None) -> list[RecordT]:
        """All versions, or those of one repository; newest build first."""
        versions = self._versions
        query = select(versions).order_by(versions.build_at.desc(), versions.created_at.desc())
        if name is not None:
            query = query.where(versions.name == name)
        with self._database.read() as session:
            return [self._to_record(row) for row in session.scalars(query)]

    def create(
        self,
        name: str,
        version: str,
        *,
        manifest: Mapping[str, Any],
        description: str = "",
        labels: Mapping[str, str] | None = None,
        build_at: datetime | None = None,
    ) -> RecordT:
        """Register a version, without content.

        Raises:
            NotFoundError: There is no such repository.
            ConflictError: The version is there already.
        """
        with self._database.write() as session:
            if session.get(self._repositories, name) is None:
                raise NotFoundError(f"there is no {self.kind} repository {name!r}")
            if self._find(session, name, version) is not None:
                raise ConflictError(f"{self.kind} {name}:{version} is there already")
            row = self._versions(
                name=name,
                version=version,
                manifest=dict(manifest),
                description=description,
                labels=dict(labels or {}),
                build_at=build_at or utc_now(),
            )
            session.add(row)
            session.flush()
            return self._to_record(row)

    def stage(self, name: str, version: str, changes: Mapping[str, Any]) -> RecordT:
        """Take new `manifest`, `description` and `labels` for a re-push.

        With content already there they come into force together with the new content.

        Raises:
            NotFoundError: There is no such version.
        """
        with self._database.write() as session:
            row = self._require(session, name, version)
            row.staged = dict(changes)
            if row.upload_status != "success":
                _apply_staged(row)
            session.flush()
            return self._to_record(row)

    def start_upload(self, name: str, version: str) -> RecordT:
        """Note that content is about to come.

        Raises:
            NotFoundError: There is no such version.
        """
        with self._database.write() as session:
            row = self._require(session, name, version)
            row.upload_started_at = utc_now()
            if not row.digest:
                row.upload_status = "uploading"
            session.flush()
            return self._to_record(row)

    def finish_upload(self, name: str, version: str, *, succeeded: bool, reason: str) -> RecordT:
        """Note what the client says about its upload. Success is believed only with content there.

        What is for development (of a codespace) never has any: that is said of it, and changes nothing.

        Raises:
            NotFoundError: There is no such version.
            ConflictError: It is said to have succeeded, but no content came.
        """
        with self._database.write() as session:
            row = self._require(session, name, version)
            if succeeded and not row.digest and not row.manifest.get("dev"):
                raise ConflictError(
                    f"{self.kind} {name}:{version} has no content: nothing was uploaded for it",
                    hint="push it again",
                )
            if not succeeded:
                _fail(row, reason)
            session.flush()
            return self._to_record(row)

    def receive(self) -> IncomingArchive:
        """Begin an upload; hand it to `store_content` when all of it came."""
        return self._archives.receive()

    def store_content(self, name: str, version: str, upload: IncomingArchive) -> RecordT:
        """Make an upload the content of a version. Blocks on the disk: call it in a thread.

        Raises:
            NotFoundError: There is no such version.
            InvalidRequestError: The archive is refused; the version keeps the content it had.
        """
        self.require(name, version)
        digest = upload.seal()
        try:
            tree = self._archives.unpack_aside(upload.path)
            if not (tree / self._marker).is_file():
                self._archives.discard(tree)
                raise InvalidRequestError(f"the archive is no {self.kind}: it has no {self._marker}")
        except InvalidRequestError as error:
            with self._database.write() as session:
                _fail(self._require(session, name, version), error.message)
            raise
        size_bytes = upload.size_bytes
        with self._placing:
            folder = self._trees / name / version
            if self.require(name, version).digest == digest and (folder / self._marker).is_file():
                self._archives.discard(tree)  # the same again: leave alone what instances may run from
            else:
                self._archives.keep(upload, digest)
                self._archives.put_in_place(tree, folder)
            with self._database.write() as session:
                row = self._require(session, name, version)
                _apply_staged(row)
                row.digest, row.size_bytes = digest, size_bytes
                row.upload_status, row.upload_reason = "success", ""
                row.upload_finished_at = utc_now()
                session.flush()
                return self._to_record(row)

    # Content

    def archive(self, name: str, version: str) -> Path:
        """The archive that was uploaded for a version.

        Raises:
            NotFoundError: There is no such version.
            ConflictError: It has no content.
        """
        return self._archives.blob(self.require_content(name, version).digest)

    def directory(self, name: str, version: str) -> Path:
        """The unpacked content of a version; unpacked again when it is lost.

        Raises:
            NotFoundError: There is no such version.
            ConflictError: It has no content.
        """
        record = self.require_content(name, version)
        folder = self._trees / name / version
        with self._placing:
            # A crash between the two renames of a re-push leaves none.
            if not (folder / self._marker).is_file():
                tree = self._archives.unpack_aside(self._archives.blob(record.digest))
                self._archives.put_in_place(tree, folder)
        return folder

    def require_content(self, name: str, version: str) -> RecordT:
        """One version that has its content.

        Raises:
            NotFoundError: There is no such version.
            ConflictError: It has no content.
        """
        record = self.require(name, version)
        if not record.is_complete:
            raise ConflictError(
                f"{self.kind} {record.tag} is not uploaded (status: {record.upload_status})"
                + (f": {record.upload_reason}" if record.upload_reason else ""),
                hint=f"push it again: bentoml {'models ' if self.kind == 'model' else ''}push {record.tag}",
            )
        return record

    def digests(self) -> set[str]:
        """Digests of all content."""
        with self._database.read() as session:
            return set(session.scalars(select(self._versions.digest)))

    def _find(self, session: Session, name: str, version: str) -> PackageColumns | None:
        versions = self._versions
        return session.scalars(
            select(versions).where(versions.name == name, versions.version == version)
        ).one_or_none()

    def _require(self, session: Session, name: str, version: str) -> PackageColumns:
        row = self._find(session, name, version)
        if row is None:
            raise self._unknown(name, version)
        return row

    def _unknown(self, name: str, version: str) -> NotFoundError:
        return NotFoundError(f"there is no {self.kind} {name}:{version} in this cloud", hint="push it first")

    def _to_record(self, row: PackageColumns) -> RecordT:
        return self._record(
            uid=row.uid,
            name=row.name,
            version=row.version,
            manifest=row.manifest,
            upload_status=row.upload_status,
            created_at=row.created_at,
            updated_at=row.updated_at,
            upload_reason=row.upload_reason,
            digest=row.digest,
            size_bytes=row.size_bytes,
            description=row.description,
            labels=row.labels,
            build_at=row.build_at,
            upload_started_at=row.upload_started_at,
            upload_finished_at=row.upload_finished_at,
        )


def _repository(row: RepositoryColumns) -> RepositoryRecord:
    return RepositoryRecord(row.uid, row.name, row.description, row.created_at)


def _apply_staged(row: PackageColumns) -> None:
    for field in ("manifest", "description", "labels"):
        if field in row.staged:
            setattr(row, field, row.staged[field])
    row.staged = {}


def _fail(row: PackageColumns, reason: str) -> None:
    """An upload failed; content that was there before stays in force."""
    row.staged = {}
    row.upload_reason = reason
    if not row.digest:
        row.upload_status = "failed"
