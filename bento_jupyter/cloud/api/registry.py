"""The calls that Bentos and models have in common: repositories, versions, upload and download."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from ...errors import InvalidRequestError, NotFoundError
from ..store import BentoRecord, ModelRecord, PackageRecord, RepositoryRecord, Store
from ..store.packages import Packages
from .calls import ARCHIVE, BYTES, Call
from .context import Cloud, cloud_of
from .exchange import answer, number, query, read
from .receiving import receive_body
from .schemas import (
    CompleteParts,
    CreatePackage,
    CreateRepository,
    FinishUpload,
    Label,
    ListOf,
    ListQuery,
    Package,
    PresignPart,
    Repository,
    UpdatePackage,
)
from .transfers import Permission, TransferQuery

__all__ = ["Registry", "package_fields", "repository_fields"]

RecordT = TypeVar("RecordT", BentoRecord, ModelRecord)

#: Names and versions as `bentoml.Tag` takes them, in small letters; they become names of folders.
TAG_PART = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")


class Registry(ABC, Generic[RecordT]):
    """The calls of one of the two kinds (B1-B16, M1-M16 of the contract).

    Uploads and downloads are one PUT and one GET of the control plane, unless the setting `transfer` says
    that the client is given URLs, for the whole archive or for parts of it.

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
        transfer = f"/transfer/{self.kind}s/{{name}}/{{version}}"
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
            Call(f"PATCH {version}/presign_upload_url", self.presign_upload, answer=one),
            Call(f"PATCH {version}/presign_download_url", self.presign_download, answer=one),
            Call(f"PATCH {version}/start_multipart_upload", self.start_parts, answer=one),
            Call(
                f"PATCH {version}/presign_multipart_upload_url",
                self.presign_part,
                body=PresignPart,
                answer=one,
            ),
            Call(
                f"PATCH {version}/complete_multipart_upload",
                self.complete_parts,
                body=CompleteParts,
                answer=one,
            ),
            Call(f"PATCH {version}/start_upload", self.start_upload, answer=one),
            Call(f"PATCH {version}/finish_upload", self.finish_upload, body=FinishUpload, answer=one),
            Call(f"PUT {version}/upload", self.upload, upload=BYTES, answer=one),
            Call(f"GET {version}/download", self.download, also={ARCHIVE: None}),
            Call(f"PUT {transfer}", self.put, query=TransferQuery, upload=BYTES, open_to_all=True),
            Call(f"GET {transfer}", self.fetch, query=TransferQuery, also={ARCHIVE: None}, open_to_all=True),
        ]

    async def list_repositories(self, request: Request) -> Response:
        """All repositories, by name."""
        packages = self._packages(request)
        found = {record.name: packages.repository(record.name) for record in packages.all()}
        return answer(
            self._repository_list.page([self._repository(packages, found[name]) for name in sorted(found)])
        )

    async def create_repository(self, request: Request) -> Response:
        """Make a repository; one that is there already is answered as if made (B2)."""
        body = await read(request, CreateRepository)
        _require_tag_part(body.name, "name")
        packages = self._packages(request)
        return answer(self._repository(packages, packages.create_repository(body.name, body.description)))

    async def get_repository(self, request: Request) -> Response:
        """One repository (B1)."""
        packages = self._packages(request)
        return answer(self._repository(packages, packages.repository(request.path_params["name"])))

    async def list_all(self, request: Request) -> Response:
        """All versions of all repositories, newest build first (B16)."""
        store = cloud_of(request).store
        records = self.packages(store).all()
        return answer(
            self._full_list.page([self.package_with_repository(record, store) for record in records])
        )

    async def list_versions(self, request: Request) -> Response:
        """The versions of a repository, newest build first (B4).

        An empty list breaks the client, so that is a 404 too.
        """
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
        """One version (B3)."""
        return self._answer(cloud_of(request), self._named(request))

    async def create(self, request: Request) -> Response:
        """Register a version, whose content is uploaded next (B5)."""
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
        return self._answer(cloud_of(request), record)

    async def update(self, request: Request) -> Response:
        """Change a version, or what it will be once its content is uploaded anew (B6)."""
        body = await read(request, UpdatePackage)
        changes = body.model_dump(exclude_none=True, exclude={"labels"})
        if body.manifest is not None:
            self.require_manifest(body.manifest)
        if body.labels is not None:
            changes["labels"] = {label.key: label.value for label in body.labels}
        return self._answer(cloud_of(request), self._packages(request).stage(*_tag(request), changes))

    async def start_upload(self, request: Request) -> Response:
        """Say that content is about to come (B8)."""
        return self._answer(cloud_of(request), self._packages(request).start_upload(*_tag(request)))

    async def finish_upload(self, request: Request) -> Response:
        """Say how an upload ended (B13)."""
        body = await read(request, FinishUpload)
        record = self._packages(request).finish_upload(
            *_tag(request), succeeded=body.status == "success", reason=body.reason
        )
        return self._answer(cloud_of(request), record)

    async def upload(self, request: Request) -> Response:
        """Upload the archive; with its last byte the version is complete (B9)."""
        packages = self._packages(request)
        name, version = _tag(request)
        packages.require(name, version)
        cloud = cloud_of(request)
        with packages.receive() as incoming:
            await receive_body(request, incoming)
            record = await run_in_threadpool(packages.store_content, name, version, incoming)
        return self._completed(cloud, record)

    def _completed(self, cloud: Cloud, record: RecordT) -> Response:
        if self.kind == "bento":
            cloud.controller.bento_pushed(record.tag)
        return self._answer(cloud, record)

    # Presigned

    async def presign_upload(self, request: Request) -> Response:
        """Where to put the archive; empty = through us (B7)."""
        return self._with_url(request, "PUT", "presigned_upload_url")

    async def presign_download(self, request: Request) -> Response:
        """Where to get the archive; empty = through us (B14)."""
        return self._with_url(request, "GET", "presigned_download_url")

    def _with_url(self, request: Request, method: str, field: str) -> Response:
        cloud = cloud_of(request)
        record = self._named(request)
        permission = Permission(method, self.kind, record.name, record.version)
        url = "" if cloud.settings.transfer == "proxy" else permission.url(request, cloud.store)
        return self._answer(cloud, record, **{field: url})

    async def start_parts(self, request: Request) -> Response:
        """Begin an upload in parts (B10)."""
        cloud = cloud_of(request)
        record = self._packages(request).start_upload(*_tag(request))
        return self._answer(cloud, record, upload_id=cloud.store.parts.begin())

    async def presign_part(self, request: Request) -> Response:
        """Where to put a part of the archive (B11)."""
        body = await read(request, PresignPart)
        cloud = cloud_of(request)
        record = self._packages(request).require(*_tag(request))
        permission = Permission(
            "PUT", self.kind, record.name, record.version, body.upload_id, body.part_number
        )
        return self._answer(cloud, record, presigned_upload_url=permission.url(request, cloud.store))

    async def complete_parts(self, request: Request) -> Response:
        """Put the parts together: the version is complete with this (B12)."""
        body = await read(request, CompleteParts)
        cloud, packages = cloud_of(request), self._packages(request)
        name, version = _tag(request)
        packages.require(name, version)
        parts = [(part.part_number, part.etag) for part in body.parts]

        def store_parts() -> RecordT:
            with cloud.store.parts.complete(body.upload_id, parts) as whole:
                return packages.store_content(name, version, whole)

        return self._completed(cloud, await run_in_threadpool(store_parts))

    async def put(self, request: Request) -> Response:
        """The archive, or a part of it, put to a URL that was given out."""
        cloud, packages = cloud_of(request), self._packages(request)
        name, version = _tag(request)
        given = query(request, TransferQuery)
        upload_id, part = given.upload, given.part
        Permission("PUT", self.kind, name, version, upload_id, part).require(given, cloud.store)
        packages.require(name, version)
        with packages.receive() as incoming:
            await receive_body(request, incoming)
            if upload_id:
                etag = await run_in_threadpool(cloud.store.parts.keep, upload_id, part, incoming)
            else:
                record = await run_in_threadpool(packages.store_content, name, version, incoming)
                self._completed(cloud, record)
                etag = record.digest
        return Response(headers={"etag": f'"{etag}"'})

    async def fetch(self, request: Request) -> Response:
        """The archive, from a URL that was given out."""
        name, version = _tag(request)
        given = query(request, TransferQuery)
        Permission("GET", self.kind, name, version).require(given, cloud_of(request).store)
        return await send_content(self._packages(request), name, version)

    def _answer(self, cloud: Cloud, record: RecordT, **fields: str) -> Response:
        """A version on the wire, with how the client is to send and fetch it."""
        strategy = {"proxy": "proxy", "presigned": None, "multipart": "presigned_url"}
        update = {"transmission_strategy": strategy[cloud.settings.transfer], **fields}
        return answer(self.package(record).model_copy(update=update))

    async def download(self, request: Request) -> Response:
        """Download the archive (B15): as it was uploaded, or as the folder that was handed over gives it."""
        record = self._named(request)
        return await send_content(self._packages(request), record.name, record.version)

    def _packages(self, request: Request) -> Packages[RecordT]:
        return self.packages(cloud_of(request).store)

    def _named(self, request: Request) -> RecordT:
        """The version that is meant; `bentoml pull name:latest` asks for `latest` as if it were one."""
        packages, (name, version) = self._packages(request), _tag(request)
        if version == "latest":
            complete = (record for record in packages.all(name) if record.is_complete)
            if (newest := next(complete, None)) is not None:
                return newest
        return packages.require(name, version)

    def _repository(self, packages: Packages[RecordT], record: RepositoryRecord | None) -> Repository:
        if record is None:
            raise NotFoundError(f"there is no such {self.kind} repository in this cloud")
        return self.repository(record, next(iter(packages.all(record.name)), None))


async def send_content(packages: Packages[RecordT], name: str, version: str) -> Response:
    """The archive of a version, after a look at whether it is what was pushed."""
    content = await run_in_threadpool(packages.archive, name, version)
    if content.file is not None:
        return FileResponse(content.file, media_type="application/x-tar")
    length = {"content-length": str(content.size_bytes)}
    return StreamingResponse(content.chunks(), media_type="application/x-tar", headers=length)


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
