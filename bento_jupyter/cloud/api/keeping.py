"""`/api/bj/v1`: handing over a folder instead of its bytes, deleting Bentos and models, garbage."""

from __future__ import annotations

import os
import stat
from functools import partial
from pathlib import Path

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...errors import ConflictError, InvalidRequestError, NotLoggedInError
from ...insight import GarbageView
from ..target import tags_of
from .bentos import BENTOS
from .calls import Call
from .context import Cloud, cloud_of
from .exchange import answer, read
from .guards import presented_token
from .models import MODELS
from .schemas import Bento, Done, Model

__all__ = ["routes"]


class Handover(BaseModel):
    """Body of `PUT /api/bj/v1/{bentos,models}/{name}/{version}/content`.

    Attributes:
        path: Folder of the Bento or model on the cloud's machine, absolute.
    """

    path: str


async def hand_over_bento(request: Request) -> Response:
    """Make a copy of a folder of this machine the content of a Bento that was registered."""
    cloud = cloud_of(request)
    name, version = request.path_params["name"], request.path_params["version"]
    folder = await _folder(request)
    record = await run_in_threadpool(cloud.store.bentos.store_folder, name, version, folder)
    cloud.controller.bento_pushed(record.tag)
    return answer(BENTOS.package(record))


async def hand_over_model(request: Request) -> Response:
    """Make a copy of a folder of this machine the content of a model that was registered."""
    name, version = request.path_params["name"], request.path_params["version"]
    folder = await _folder(request)
    store = cloud_of(request).store
    return answer(MODELS.package(await run_in_threadpool(store.models.store_folder, name, version, folder)))


async def _folder(request: Request) -> Path:
    """The folder that the owner names.

    Only the owner may: with the cloud's own rights everything that is theirs can be read. Others have the
    same token only when they were told the owner's own.
    """
    token = cloud_of(request).store.tokens.verify(presented_token(request.headers))
    if token is None or token.uid != "owner":
        raise NotLoggedInError("only the owner of this machine's cloud hands over folders of it")
    return await run_in_threadpool(_own_folder, (await read(request, Handover)).path)


def _own_folder(path: str) -> Path:
    folder = Path(path)
    if not folder.is_absolute() or "\0" in path or ".." in folder.parts:
        raise InvalidRequestError("path: not an absolute path")
    try:
        found = folder.lstat()
    except OSError as error:
        raise InvalidRequestError(f"path: {path[:200]!r}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise InvalidRequestError(f"path: {path!r} is no folder of this machine")
    if found.st_uid != os.getuid():
        raise InvalidRequestError(f"path: {path!r} belongs to somebody else")
    return folder


async def delete_bento(request: Request) -> Response:
    """Delete a Bento; refused while a deployment runs it. Its content goes with it."""
    cloud = cloud_of(request)
    store = cloud.store
    tag = _tag(request)
    users = [record.name for record in store.deployments.all() if tag in tags_of(record)]
    if users:
        raise ConflictError(
            f"bento {tag} is what {_listed('deployment', users)} runs", hint="update or delete that first"
        )
    store.bentos.delete(request.path_params["name"], request.path_params["version"])
    return await _tidied(cloud)


async def delete_model(request: Request) -> Response:
    """Delete a model; refused while a Bento needs it. Its content goes with it."""
    cloud = cloud_of(request)
    store = cloud.store
    tag = _tag(request)
    users = [bento.tag for bento in store.bentos.all() if tag in bento.models]
    if users:
        raise ConflictError(f"model {tag} is needed by {_listed('bento', users)}", hint="delete that first")
    store.models.delete(request.path_params["name"], request.path_params["version"])
    return await _tidied(cloud)


async def _tidied(cloud: Cloud) -> Response:
    await run_in_threadpool(partial(cloud.controller.garbage.collect, within_limit=True))
    return answer(Done())


async def find_garbage(request: Request) -> Response:
    """What nobody needs."""
    return answer(await run_in_threadpool(cloud_of(request).controller.garbage.find))


async def collect_garbage(request: Request) -> Response:
    """Delete what nobody needs."""
    return answer(await run_in_threadpool(cloud_of(request).controller.garbage.collect))


def _tag(request: Request) -> str:
    return f"{request.path_params['name']}:{request.path_params['version']}"


def _listed(what: str, names: list[str]) -> str:
    return f"{what}{'s' if len(names) > 1 else ''} {', '.join(names)}"


routes = [
    Call("DELETE /api/bj/v1/bentos/{name}/{version}", delete_bento, answer=Done),
    Call("DELETE /api/bj/v1/models/{name}/{version}", delete_model, answer=Done),
    Call("PUT /api/bj/v1/bentos/{name}/{version}/content", hand_over_bento, body=Handover, answer=Bento),
    Call("PUT /api/bj/v1/models/{name}/{version}/content", hand_over_model, body=Handover, answer=Model),
    Call("GET /api/bj/v1/garbage", find_garbage, answer=GarbageView),
    Call("DELETE /api/bj/v1/garbage", collect_garbage, answer=GarbageView),
]
