"""Files of codespaces on the wire (D8 of the contract): `bentoml code` keeps them in step with a folder."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import BaseModel, BeforeValidator
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...errors import InvalidRequestError
from ..store import DeploymentRecord
from .calls import Call
from .context import Cloud, cloud_of
from .exchange import answer, read
from .identity import require_cluster
from .schemas import ClusterQuery, Done

__all__ = ["routes"]

#: The client sends at least 64 MiB of files at a time, more when the last of them is large.
LARGEST_UPLOAD = 256 * 1024 * 1024


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"no base64: {error}") from error


class UploadedFile(BaseModel):
    """A file that was sent."""

    path: str
    b64_encoded_content: Annotated[bytes, BeforeValidator(_decoded)]


class Upload(BaseModel):
    """Body of `POST .../files`."""

    files: list[UploadedFile]


class Deletion(BaseModel):
    """Body of `DELETE .../files`."""

    paths: list[str]


class FileRow(BaseModel):
    """A file in a list."""

    path: str
    size: int
    md5: str


class FileList(BaseModel):
    """Answer to `GET .../files`."""

    files: list[FileRow]


async def list_files(request: Request) -> Response:
    """The files of a codespace: the client sends what differs (D8)."""
    cloud = cloud_of(request)
    record = _codespace(cloud, request)
    files = cloud.store.codespaces.files(record.uid)
    return answer(FileList(files=[FileRow(path=each.path, size=each.size, md5=each.md5) for each in files]))


async def upload_files(request: Request) -> Response:
    """Write files of a codespace; instances with the new ones take over once they are ready (D8)."""
    cloud = cloud_of(request)
    record = _codespace(cloud, request)
    body = await read(request, Upload, LARGEST_UPLOAD)
    files = {each.path: each.b64_encoded_content for each in body.files}
    await run_in_threadpool(cloud.store.codespaces.write, record.uid, files)
    cloud.controller.changed(record.name)
    return answer(Done())


async def delete_files(request: Request) -> Response:
    """Delete files of a codespace (D8)."""
    cloud = cloud_of(request)
    record = _codespace(cloud, request)
    body = await read(request, Deletion)
    await run_in_threadpool(cloud.store.codespaces.delete, record.uid, body.paths)
    cloud.controller.changed(record.name)
    return answer(Done())


def _codespace(cloud: Cloud, request: Request) -> DeploymentRecord:
    require_cluster(request.query_params.get("cluster"))
    record = cloud.store.deployments.require(request.path_params["name"])
    if not record.dev:
        raise InvalidRequestError(
            f"deployment {record.name!r} is no codespace: its files are those of its Bento"
        )
    return record


_FILES = "/api/v2/deployments/{name}/files"
routes = [
    Call(f"GET {_FILES}", list_files, query=ClusterQuery, answer=FileList),
    Call(f"POST {_FILES}", upload_files, query=ClusterQuery, body=Upload, answer=Done),
    Call(f"DELETE {_FILES}", delete_files, query=ClusterQuery, body=Deletion, answer=Done),
]
