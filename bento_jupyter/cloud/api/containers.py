"""`/api/bj/v1`: images sent to registries; and what is checked before a deployment runs in containers."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from ...errors import BentoJupyterError, InvalidRequestError, NoBuilderError
from ...views import PushStep
from ..engines.containers import require_platform
from ..images import needs_container
from ..oci import registry_of
from ..store import BentoRecord
from ..target import asks_for_oci
from .calls import NDJSON, Call
from .context import Cloud, cloud_of
from .exchange import read
from .streams import ndjson

__all__ = ["require_containers", "routes"]

logger = logging.getLogger(__name__)


class ImagePush(BaseModel):
    """Body of `POST /api/bj/v1/deployments/{name}/image/push`.

    Attributes:
        to: `REGISTRY/REPOSITORY:TAG`.
    """

    to: str


async def require_containers(
    cloud: Cloud,
    config: Mapping[str, Any],
    bento: BentoRecord,
    canaries: Mapping[str, BentoRecord],
    *,
    dev: bool,
) -> None:
    """See to it that what needs an OCI image, or asks for one, can have it here.

    Args:
        cloud: The cloud.
        config: The deployment's configuration, as it will be stored.
        bento: The Bento of its main version.
        canaries: Those of its canaries, by their names.
        dev: It is a codespace.

    Raises:
        InvalidRequestError: It cannot, because nothing here builds such images, because instances run on
            other machines, or because it is a codespace, whose files change.
    """
    versions = (config.get("canary") or {}).get("versions") or {}
    pairs = [(bento, config), *((canaries[name], version) for name, version in versions.items())]
    for each, wanted in pairs:
        needs = needs_container(each.manifest) if each.manifest.get("spec") else ""
        asked = asks_for_oci((wanted.get("services") or {}).get(each.entry_service))
        if not (needs or asked):
            continue
        why = f"bento {each.tag} needs an OCI image: {needs}" if needs else "it asks for an OCI image"
        if dev and needs:
            raise InvalidRequestError(
                f"this cloud cannot run it as a codespace: {why}",
                hint="codespaces run in an environment of Python packages; deploy a built Bento instead",
            )
        if cloud.settings.engine == "ray":
            raise InvalidRequestError(
                f"this cloud cannot run it: {why}, and its instances run on a Ray cluster, not in containers",
                hint="deploy it to a cloud with the engine processes or containers",
            )
        try:
            require_platform()
            await asyncio.to_thread(cloud.controller.images.builders.find)
        except NoBuilderError as error:
            raise InvalidRequestError(
                f"this cloud cannot run it: {why}, and {error.message}", hint=error.hint
            ) from error


async def push_image(request: Request) -> Response:
    """Send the OCI image of a deployment's Bento to a registry; it is built first where it is not there.

    The last line has the image, or the error.
    """
    cloud = cloud_of(request)
    name = request.path_params["name"]
    destination = (await read(request, ImagePush)).to
    registry_of(destination)
    if cloud.store.deployments.require(name).dev:
        raise InvalidRequestError(
            f"{name} is a codespace, whose files change: there is no image of it",
            hint="build and push its Bento, and deploy that",
        )
    try:
        await asyncio.to_thread(cloud.controller.images.builders.find)
    except NoBuilderError as error:
        raise InvalidRequestError(error.message, hint=error.hint) from error
    return ndjson(_pushed(cloud, name, destination), cloud.stopping)


async def _pushed(cloud: Cloud, name: str, destination: str) -> AsyncIterator[PushStep]:
    loop = asyncio.get_running_loop()
    steps: asyncio.Queue[PushStep | None] = asyncio.Queue()
    cancelled = threading.Event()
    stage = "image"

    def say(now: str, text: str) -> None:
        loop.call_soon_threadsafe(steps.put_nowait, PushStep(stage=now, text=text))

    pushing = asyncio.create_task(cloud.controller.push_image(name, destination, say, cancelled))
    pushing.add_done_callback(lambda _: loop.call_soon(steps.put_nowait, None))
    try:
        while (step := await steps.get()) is not None:
            stage = step.stage
            yield step
        try:
            yield PushStep(stage=stage, image=await pushing)
        except BentoJupyterError as error:
            yield PushStep(stage=stage, error=error.message, hint=error.hint)
        except (OSError, KeyError) as error:  # the machine refuses; the deployment was deleted meanwhile
            logger.exception("the image of %s", name)
            yield PushStep(stage=stage, error=f"{type(error).__name__}: {error}")
    finally:
        cancelled.set()
        pushing.cancel()


routes = [
    Call(
        "POST /api/bj/v1/deployments/{name}/image/push",
        push_image,
        body=ImagePush,
        also={NDJSON: PushStep},
    ),
]
