"""Bentos and models: repositories, versions and their content. One implementation for both."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import ConflictError, DamagedContentError, InvalidRequestError, NotFoundError
from ...spec import utc_now
from .archives import Archives, IncomingArchive
from .database import Database
from .packing import Packed, archive_of, describe
from .records import BentoRecord, ModelRecord, RepositoryRecord
from .tables import PackageColumns, RepositoryColumns

__all__ = ["Content", "Packages"]

RecordT = TypeVar("RecordT", BentoRecord, ModelRecord)


@dataclass(frozen=True)
class Content:
    """An archive to send.

    Attributes:
        size_bytes: Its size.
        file: The file it is in; None = it is made of a folder.
        tree: That folder.
        without: What of it is not part of the archive.
    """

    size_bytes: int
    file: Path | None = None
    tree: Path = Path()
    without: str = ""

    def chunks(self) -> Iterator[bytes]:
        """The archive of the folder, in pieces."""
        return archive_of(self.tree, without=self.without)


class Packages(Generic[RecordT]):
    """All Bentos, or all models.

    A version is registered first (`pending`) and gets its content later, at once: the archive is received
    and looked through, put in place by rename, and only then `success`. Whatever breaks off on the way leaves
    what was there before. It is unpacked when it is first needed.

    Args:
        database: Where they are listed.
        archives: Where uploads go.
        trees: Folder of the unpacked ones: `<trees>/<name>/<version>/<digest>/`.
        kind: `bento` or `model`, for messages.
        marker: The file that each archive has at its root.
        grown: Folder at the root of a tree that is not part of what was pushed; "" = none.
        repositories: Table of repositories.
        versions: Table of versions.
        record: Class of the records.

    Attributes:
        placing: Held while content is put in place and comes into force, so that nobody takes it for garbage.
    """

    def __init__(
        self,
        database: Database,
        archives: Archives,
        trees: Path,
        *,
        kind: str,
        marker: str,
        grown: str = "",
        repositories: type[RepositoryColumns],
        versions: type[PackageColumns],
        record: type[RecordT],
    ) -> None:
        self.kind = kind
        self._database = database
        self._archives = archives
        self._trees = trees
        self._marker = marker
        self._grown = grown
        self._repositories = repositories
        self._versions = versions
        self._record: type[RecordT] = record
        self.placing = threading.Lock()

    # Repositories

    def repository(self, name: str) -> RepositoryRecord | None:
        """The repository of this name."""
        with self._database.read() as session:
            row = session.get(self._repositories, name)
            return None if row is None else _repository(row)

    def require_repository(self, name: str) -> RepositoryRecord:
        """The repository of this name.

        Raises:
            NotFoundError: There is none.
        """
        found = self.repository(name)
        if found is None:
            raise NotFoundError(f"there is no {self.kind} repository {name!r} in this cloud")
        return found

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
            ConflictError: The version is there already, with content.
        """
        with self._database.write() as session:
            if session.get(self._repositories, name) is None:
                raise NotFoundError(f"there is no {self.kind} repository {name!r}")
            present = self._find(session, name, version)
            if present is not None:
                # Two clients that push the same at once both find nothing, and both register it.
                if present.upload_status == "success" and present.manifest != dict(manifest):
                    raise ConflictError(f"{self.kind} {name}:{version} is there already")
                if present.upload_status != "success":
                    present.manifest = dict(manifest)
                return self._to_record(present)
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
        size_bytes = upload.size_bytes
        try:
            files, tree = self._archives.check(upload.path)
            if self._marker not in files:
                if tree is not None:
                    self._archives.discard(tree)
                raise InvalidRequestError(f"the archive is no {self.kind}: it has no {self._marker}")
        except InvalidRequestError as error:
            self._note_failure(name, version, error.message)
            raise
        with self.placing:
            if tree is not None:
                self._archives.put_in_place(tree, self._tree(name, version, digest))
            self._archives.keep(upload, digest)
            return self._complete(name, version, Packed(digest, size_bytes))

    def store_folder(self, name: str, version: str, folder: Path) -> RecordT:
        """Make a copy of a folder of this user the content of a version. Blocks on the disk.

        Raises:
            NotFoundError: There is no such version.
            InvalidRequestError: The folder is refused; the version keeps the content it had.
        """
        self.require(name, version)
        try:
            if not (folder / self._marker).is_file():
                raise InvalidRequestError(f"the folder is no {self.kind}: it has no {self._marker}")
            tree, packed = self._archives.copy_aside(folder, without=self._grown)
        except InvalidRequestError as error:
            self._note_failure(name, version, error.message)
            raise
        with self.placing:
            self._archives.put_in_place(tree, self._tree(name, version, packed.digest))
            return self._complete(name, version, packed)

    def _complete(self, name: str, version: str, packed: Packed) -> RecordT:
        """What is on the disk comes into force. Before this nothing sees it, and nothing was changed."""
        with self._database.write() as session:
            row = self._require(session, name, version)
            _apply_staged(row)
            row.digest, row.size_bytes = packed.digest, packed.size_bytes
            row.upload_status, row.upload_reason = "success", ""
            row.upload_finished_at = utc_now()
            session.flush()
            return self._to_record(row)

    def _note_failure(self, name: str, version: str, reason: str) -> None:
        with self._database.write() as session:
            _fail(self._require(session, name, version), reason)

    def delete(self, name: str, version: str) -> RecordT:
        """Forget a version; its content is garbage from now on.

        Returns:
            What it was.

        Raises:
            NotFoundError: There is no such version.
        """
        with self._database.write() as session:
            row = self._require(session, name, version)
            record = self._to_record(row)
            session.delete(row)
        return record

    # Content

    def archive(self, name: str, version: str) -> Content:
        """The archive of a version, as it was uploaded or as its folder gives it. Blocks on the disk.

        Raises:
            NotFoundError: There is no such version.
            ConflictError: It has no content.
            DamagedContentError: The disk has lost or changed it.
        """
        record = self.require_content(name, version)
        with self._telling_damage(record):
            tree = self._tree(name, version, record.digest)
            if self._archives.blob(record.digest).exists() or not tree.exists():
                return Content(record.size_bytes, file=self._archives.verified(record.digest))
            if describe(tree, without=self._grown).digest != record.digest:
                raise DamagedContentError(f"the disk has changed the files of {record.tag}")
            return Content(record.size_bytes, tree=tree, without=self._grown)

    def directory(self, name: str, version: str) -> Path:
        """The content of a version as a folder; unpacked when it is not there. Blocks on the disk.

        Raises:
            NotFoundError: There is no such version.
            ConflictError: It has no content.
            DamagedContentError: The disk has lost or changed it.
        """
        record = self.require_content(name, version)
        folder = self._tree(name, version, record.digest)
        with self.placing, self._telling_damage(record):
            if not folder.exists():
                tree = self._archives.unpack_aside(self._archives.verified(record.digest))
                self._archives.put_in_place(tree, folder)
        return folder

    def unpacked(self, name: str, version: str) -> Path | None:
        """The content of a version as a folder, if it is unpacked."""
        record = self.get(name, version)
        tree = self._tree(name, version, record.digest) if record and record.digest else None
        return tree if tree is not None and tree.exists() else None

    @contextmanager
    def _telling_damage(self, record: RecordT) -> Iterator[None]:
        """A damaged version is no longer complete, so that the client pushes it again."""
        try:
            yield
        except DamagedContentError as error:
            hint = self._push_hint(record.tag)
            message = f"the content of {self.kind} {record.tag} is damaged: {error.message}"
            with self._database.write() as session:
                row = self._find(session, record.name, record.version)
                if row is not None and row.digest == record.digest:
                    row.digest, row.upload_status, row.upload_reason = "", "failed", message
            raise DamagedContentError(message, hint=hint) from error

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
                hint=self._push_hint(record.tag),
            )
        return record

    def digests(self) -> set[str]:
        """Digests of all content."""
        with self._database.read() as session:
            return set(session.scalars(select(self._versions.digest)))

    def unused_trees(self) -> list[Path]:
        """Trees that are not the content of any version, such as those that a new push has replaced."""
        versions = self._versions
        with self._database.read() as session:
            rows = session.execute(select(versions.name, versions.version, versions.digest))
            used = {self._tree(name, version, digest) for name, version, digest in rows if digest}
        return [tree for tree in self._trees.glob("*/*/*") if tree not in used]

    def remove_unused_tree(self, tree: Path) -> None:
        """Delete such a tree, if nobody uses it meanwhile."""
        with self.placing:
            if tree in self.unused_trees():
                self._archives.remove_tree(tree)

    def _tree(self, name: str, version: str, digest: str) -> Path:
        return self._trees / name / version / digest[:24]

    def _push_hint(self, tag: str) -> str:
        return f"push it again: bentoml {'models ' if self.kind == 'model' else ''}push {tag}"

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
