"""The calls that Bentos and models have in common: repositories, versions, upload and download."""

from __future__ import annotations

import re
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Generic, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from ...errors import ConflictError, InvalidRequestError, NotFoundError
from ..store import BentoRecord, ModelRecord, PackageRecord, RepositoryRecord, Store
from ..store.packages import Packages
from .calls import ARCHIVE, BYTES, Call
from .context import cloud_of
from .exchange import answer, number, read
from .schemas import (
    CreatePackage,
    CreateRepository,
    FinishUpload,
    Label,
    ListOf,
    ListQuery,
    Package,
    Repository,
    UpdatePackage,
)

__all__ = ["Registry", "package_fields", "repository_fields"]

RecordT = TypeVar("RecordT", BentoRecord, ModelRecord)

#: Names and versions as `bentoml.Tag` takes them, in small letters; they become names of folders.
TAG_PART = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")

UPLOAD_CHUNK = 1024 * 1024


class Registry(ABC, Generic[RecordT]):
    """The calls of one of the two kinds (B1-B16, M1-M16 of the contract).

    Uploads and downloads go through us as one PUT and one GET (`transmission_strategy: proxy`), so
    nothing is presigned and nothing comes in parts.

    Args:
        kind: `bento` or `model`.
    """

    #: What crosses the border: a version, one with its repository, a repository.
    package_model: type[Package]
    full_model: type[Package]
    repository_model: type[Repository]

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._list: type[ListOf[Any]] = ListOf[self.package_model]  # type: ignore[name-defined]
        self._full_list: type[ListOf[Any]] = ListOf[self.full_model]  # type: ignore[name-defined]
        self._repository_list: type[ListOf[Any]] = ListOf[self.repository_model]  # type: ignore[name-defined]

    @abstractmethod
    def packages(self, store: Store) -> Packages[RecordT]:
        """Where they are."""

    @abstractmethod
    def require_manifest(self, manifest: dict[str, Any] | None) -> dict[str, Any]:
        """A manifest as it came, when the client could read it back.

        Raises:
            InvalidRequestError: It could not.
        """

    @abstractmethod
    def package(self, record: RecordT) -> Package:
        """A version on the wire."""

    @abstractmethod
    def package_with_repository(self, record: RecordT, store: Store) -> Package:
        """A version on the wire, with its repository."""

    @abstractmethod
    def repository(self, record: RepositoryRecord, latest: RecordT | None) -> Repository:
        """A repository on the wire."""

    def routes(self) -> list[Call]:
        """All calls."""
        repositories = f"/api/v1/{self.kind}_repositories"
        versions = f"{repositories}/{{name}}/{self.kind}s"
        version = f"{versions}/{{version}}"
        one, repository = self.package_model, self.repository_model
        return [
            Call(f"GET {repositories}", self.list_repositories, answer=self._repository_list),
            Call(f"POST {repositories}", self.create_repository, body=CreateRepository, answer=repository),
            Call(f"GET {repositories}/{{name}}", self.get_repository, answer=repository),
            Call(f"GET /api/v1/{self.kind}s", self.list_all, answer=self._full_list),
            Call(f"GET {versions}", self.list_versions, query=ListQuery, answer=self._list),
            Call(f"POST {versions}", self.create, body=CreatePackage, answer=one),
            Call(f"GET {version}", self.get, answer=one),
            Call(f"PATCH {version}", self.update, body=UpdatePackage, answer=one),
            Call(f"PATCH {version}/presign_upload_url", self.get, answer=one),
            Call(f"PATCH {version}/presign_download_url", self.get, answer=one),
            Call(f"PATCH {version}/start_upload", self.start_upload, answer=one),
            Call(f"PATCH {version}/finish_upload", self.finish_upload, body=FinishUpload, answer=one),
            Call(f"PUT {version}/upload", self.upload, upload=BYTES, answer=one),
            Call(f"GET {version}/download", self.download, also={ARCHIVE: None}),
        ]

    async def list_repositories(self, request: Request) -> Response:
        """All repositories, by name."""
        packages = self._packages(request)
        found = {record.name: packages.repository(record.name) for record in packages.all()}
        return answer(
            self._repository_list.page([self._repository(packages, found[name]) for name in sorted(found)])
        )

    async def create_repository(self, request: Request) -> Response:
        """B2; one that is there already is answered as if made."""
        body = await read(request, CreateRepository)
        _require_tag_part(body.name, "name")
        packages = self._packages(request)
        return answer(self._repository(packages, packages.create_repository(body.name, body.description)))

    async def get_repository(self, request: Request) -> Response:
        """B1."""
        packages = self._packages(request)
        return answer(self._repository(packages, packages.repository(request.path_params["name"])))

    async def list_all(self, request: Request) -> Response:
        """B16."""
        store = cloud_of(request).store
        records = self.packages(store).all()
        return answer(
            self._full_list.page([self.package_with_repository(record, store) for record in records])
        )

    async def list_versions(self, request: Request) -> Response:
        """B4: newest build first. An empty list breaks the client, so that is a 404 too."""
        name = request.path_params["name"]
        records = self._packages(request).all(name)
        if not records:
            raise NotFoundError(f"there is no {self.kind} {name!r} in this cloud", hint="push it first")
        wanted = request.query_params.get("q", "")
        records = [record for record in records if wanted in record.version]
        page = self._list.page(
            [self.package(record) for record in records],
            number(request, "start", 0) or 0,
            number(request, "count"),
        )
        return answer(page)

    async def get(self, request: Request) -> Response:
        """B3; also B7 and B14, which get no presigned URL and so fall back to the proxy."""
        return answer(self.package(self._packages(request).require(*_tag(request))))

    async def create(self, request: Request) -> Response:
        """B5."""
        name = request.path_params["name"]
        body = await read(request, CreatePackage)
        _require_tag_part(body.version, "version")
        record = self._packages(request).create(
            name,
            body.version,
            manifest=self.require_manifest(body.manifest),
            description=body.description,
            labels={label.key: label.value for label in body.labels},
            build_at=body.build_at,
        )
        return answer(self.package(record))

    async def update(self, request: Request) -> Response:
        """B6."""
        body = await read(request, UpdatePackage)
        changes = body.model_dump(exclude_none=True, exclude={"labels"})
        if body.manifest is not None:
            self.require_manifest(body.manifest)
        if body.labels is not None:
            changes["labels"] = {label.key: label.value for label in body.labels}
        return answer(self.package(self._packages(request).stage(*_tag(request), changes)))

    async def start_upload(self, request: Request) -> Response:
        """B8."""
        return answer(self.package(self._packages(request).start_upload(*_tag(request))))

    async def finish_upload(self, request: Request) -> Response:
        """B13."""
        body = await read(request, FinishUpload)
        record = self._packages(request).finish_upload(
            *_tag(request), succeeded=body.status == "success", reason=body.reason
        )
        return answer(self.package(record))

    async def upload(self, request: Request) -> Response:
        """B9: the archive. With its last byte the version is complete; nothing else follows."""
        packages = self._packages(request)
        name, version = _tag(request)
        packages.require(name, version)
        cloud = cloud_of(request)
        _require_space(cloud.settings.home.cloud, request.headers.get("content-length"))
        with packages.receive() as incoming:
            buffer = bytearray()
            try:
                async for chunk in request.stream():
                    buffer += chunk
                    if len(buffer) >= UPLOAD_CHUNK:
                        await run_in_threadpool(incoming.write, bytes(buffer))
                        buffer.clear()
            except ClientDisconnect as error:
                raise InvalidRequestError(f"the upload of {name}:{version} broke off") from error
            await run_in_threadpool(incoming.write, bytes(buffer))
            record = await run_in_threadpool(packages.store_content, name, version, incoming)
        if self.kind == "bento":
            cloud.controller.bento_pushed(record.tag)
        return answer(self.package(record))

    async def download(self, request: Request) -> Response:
        """B15: the archive as it was uploaded."""
        return FileResponse(self._packages(request).archive(*_tag(request)), media_type="application/x-tar")

    def _packages(self, request: Request) -> Packages[RecordT]:
        return self.packages(cloud_of(request).store)

    def _repository(self, packages: Packages[RecordT], record: RepositoryRecord | None) -> Repository:
        if record is None:
            raise NotFoundError(f"there is no such {self.kind} repository in this cloud")
        return self.repository(record, next(iter(packages.all(record.name)), None))


def package_fields(record: PackageRecord) -> dict[str, object]:
    """The fields that a Bento and a model have alike."""
    return {
        "uid": record.uid,
        "name": record.version,
        "version": record.version,
        "labels": [Label(key=key, value=value) for key, value in record.labels.items()],
        "description": record.description,
        "upload_status": record.upload_status,
        "upload_finished_reason": record.upload_reason,
        "upload_started_at": record.upload_started_at,
        "upload_finished_at": record.upload_finished_at,
        "build_at": record.build_at or record.created_at,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "manifest": record.manifest,
    }


def repository_fields(record: RepositoryRecord) -> dict[str, object]:
    """The fields that both kinds of repository have alike."""
    return {
        "uid": record.uid,
        "name": record.name,
        "description": record.description,
        "created_at": record.created_at,
        "updated_at": record.created_at,
    }


def _tag(request: Request) -> tuple[str, str]:
    return request.path_params["name"], request.path_params["version"]


def _require_tag_part(text: str, what: str) -> None:
    if not TAG_PART.fullmatch(text) or text == "latest":
        raise InvalidRequestError(
            f"{text!r} cannot be a {what}: small letters, digits, '.', '_' and '-', at most 63, "
            "first and last a letter or digit, and not 'latest'"
        )


def _require_space(folder: Path, content_length: str | None) -> None:
    """An upload is on the disk twice: as it came, and unpacked."""
    if content_length is None or not content_length.isdigit():
        return
    free = shutil.disk_usage(folder).free
    needed = 2 * int(content_length)
    if needed > free:
        raise ConflictError(f"the disk is too full: {needed >> 20} MiB are needed, {free >> 20} MiB are free")
