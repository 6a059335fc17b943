"""`/api/bj/v1`: what the cloud has: images, Bentos, models, secrets' names, sizes of instances."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from ...errors import NotFoundError
from ...insight import PackageView
from ...views import ImageView, InstanceType, LogLine
from ..logs import LogFile, follow
from ..store import PackageRecord
from ..target import tags_of
from .calls import NDJSON, Call
from .context import Cloud, cloud_of
from .exchange import answer, query
from .schemas import Count
from .streams import ndjson

__all__ = ["routes"]

IMAGE_KEY = re.compile(r"[0-9a-f]{24}")
MOST_LOG_LINES = 10_000


class ImageViews(BaseModel):
    """Images, newest first."""

    images: Sequence[ImageView]


class ImageLogQuery(BaseModel):
    """The newest `lines` of an image's log; with `follow` also what comes, without end."""

    lines: Count = 1000
    follow: bool = False


class ImageLog(BaseModel):
    """A part of an image's log, oldest first."""

    lines: Sequence[LogLine]


class Packages(BaseModel):
    """Bentos or models, newest build first."""

    items: Sequence[PackageView]


class SecretNames(BaseModel):
    """Names of secrets; nothing of what is in them."""

    items: Sequence[str]


class InstanceTypes(BaseModel):
    """Sizes of instances."""

    items: Sequence[InstanceType]


async def list_images(request: Request) -> Response:
    """The environments that Bentos run in: status and why, time, size, which deployments use them."""
    cloud = cloud_of(request)
    users: dict[str, list[str]] = {}
    for view in cloud.controller.views():
        if view.image is not None:
            users.setdefault(view.image.key, []).append(view.name)
    images = await asyncio.to_thread(cloud.controller.images.all)
    named = [image.model_copy(update={"used_by": users.get(image.key, [])}) for image in images]
    return answer(ImageViews(images=named))


async def get_image_log(request: Request) -> Response:
    """The log of an image's build; as it is written with `follow`."""
    cloud = cloud_of(request)
    key = request.path_params["key"]
    path = cloud.controller.images.log_path(key)
    if not IMAGE_KEY.fullmatch(key) or not path.is_file():
        raise NotFoundError(f"there is no image {key!r}")
    file, wanted = LogFile(path, "image"), query(request, ImageLogQuery)
    lines = min(wanted.lines, MOST_LOG_LINES)
    if wanted.follow:
        return ndjson(follow(lambda: [file], lines), cloud.stopping)
    return answer(ImageLog(lines=file.last(lines)[0] if lines else []))


async def list_bentos(request: Request) -> Response:
    """The Bentos in the registry: digest, size, and which deployments run them."""
    cloud = cloud_of(request)
    users: dict[str, list[str]] = {}
    for record in cloud.store.deployments.all():
        for tag in dict.fromkeys(tags_of(record)):
            users.setdefault(tag, []).append(record.name)
    return answer(Packages(items=[_package(record, users) for record in cloud.store.bentos.all()]))


async def list_models(request: Request) -> Response:
    """The models in the registry: digest, size, and which Bentos need them."""
    cloud = cloud_of(request)
    users = _needed(cloud)
    return answer(Packages(items=[_package(record, users) for record in cloud.store.models.all()]))


async def list_secrets(request: Request) -> Response:
    """The names of the secrets that there are."""
    return answer(SecretNames(items=[record.name for record in cloud_of(request).store.secrets.all()]))


async def list_instance_types(request: Request) -> Response:
    """The sizes of instances that this machine offers."""
    return answer(InstanceTypes(items=cloud_of(request).controller.instance_types.offered))


def _needed(cloud: Cloud) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    for bento in cloud.store.bentos.all():
        for tag in bento.models:
            users.setdefault(tag, []).append(bento.tag)
    return users


def _package(record: PackageRecord, users: dict[str, list[str]]) -> PackageView:
    return PackageView(
        tag=record.tag,
        digest=record.digest,
        size_bytes=record.size_bytes,
        status=record.upload_status,
        reason=record.upload_reason,
        used_by=users.get(record.tag, []),
        created_at=record.created_at,
    )


routes = [
    Call("GET /api/bj/v1/images", list_images, answer=ImageViews),
    Call(
        "GET /api/bj/v1/images/{key}/log",
        get_image_log,
        query=ImageLogQuery,
        answer=ImageLog,
        also={NDJSON: LogLine},
    ),
    Call("GET /api/bj/v1/bentos", list_bentos, answer=Packages),
    Call("GET /api/bj/v1/models", list_models, answer=Packages),
    Call("GET /api/bj/v1/secrets", list_secrets, answer=SecretNames),
    Call("GET /api/bj/v1/instance_types", list_instance_types, answer=InstanceTypes),
]
