"""WebSockets: the "pods" of a deployment or an image build, and their logs (1.7 of the contract).

`bentoml deploy` looks for the pod that builds the image and shows its log while it waits.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

from pydantic import BaseModel, Field
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from ...errors import NotFoundError
from ...spec import InstanceState
from ...views import InstanceView
from .context import Cloud, cloud_of
from .streams import until

__all__ = ["routes"]

BUILDER_PREFIX = "image-builder:"
#: The client waits for a pod of a codespace before it sends the files that instances start with, and follows
#: the log of the one it found: so there is one for all instances, which come and go with each change.
CODESPACE_PREFIX = "codespace:"

#: Most lines of a log that come before the new ones.
MOST_TAIL_LINES = 10_000
#: Seconds that a client has to say what it wants.
WISH_TIMEOUT = 5.0

_POD_STATUS = {
    InstanceState.STARTING: ("Pending", "Pending"),
    InstanceState.READY: ("Running", "Running"),
    InstanceState.DRAINING: ("Terminating", "Running"),
    InstanceState.STOPPED: ("Terminated", "Succeeded"),
    InstanceState.FAILED: ("Failed", "Failed"),
}


async def image_builder_pods(socket: WebSocket) -> None:
    """`/ws/v1/clusters/{cluster}/pods`: one message with the pod that builds the image of a Bento."""
    selector = dict(
        part.split("=", 1) for part in socket.query_params.get("selector", "").split(",") if "=" in part
    )
    name = selector.get("yatai.ai/bento-repository", "")
    version = selector.get("yatai.ai/bento", "")
    pods = []
    if cloud_of(socket).store.bentos.get(name, version) is not None:
        labels = {
            "yatai.ai/bento-repository": name,
            "yatai.ai/bento": version,
            "yatai.ai/is-bento-image-builder": "true",
        }
        pods = [_pod(f"{BUILDER_PREFIX}{name}:{version}", labels, ("Running", "Running"), "")]
    await _send_pods(socket, pods)


async def deployment_pods(socket: WebSocket) -> None:
    """`/ws/v2/deployments/{name}/pods`: one message with the instances."""
    cloud, name = cloud_of(socket), socket.path_params["name"]
    try:
        view = cloud.view(name)
        record = cloud.store.deployments.require(name)
    except NotFoundError as error:
        await _send_error(socket, error.message)
        return
    if record.dev:
        state = "Terminating" if record.terminated else "Running"
        labels = _api_server_labels(view.bento)
        pods = [_pod(f"{CODESPACE_PREFIX}{name}", labels, (state, "Running"), view.reason, name)]
    else:
        bentos = {each.version: each.bento for each in view.sets}
        pods = [_instance_pod(each, bentos.get(each.version, view.bento)) for each in view.instances]
    await _send_pods(socket, pods)


async def tail(socket: WebSocket) -> None:
    """`/ws/v1/clusters/{cluster}/tail`: the log of one pod, followed; `EOF` when it is over."""
    cloud = cloud_of(socket)
    await socket.accept()
    wish = await _read_wish(socket)
    try:
        lines = _log(cloud, socket.query_params.get("pod_name", ""), wish.tail_lines)
    except NotFoundError as error:
        await _send_error(socket, error.message)
        return
    listener = asyncio.create_task(_answer_heartbeats(socket))
    sender = asyncio.create_task(_send_log(socket, lines, cloud.stopping))
    try:
        # A log may be silent for long after its reader has left.
        await asyncio.wait({listener, sender}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        listener.cancel()
        sender.cancel()
        _, result = await asyncio.gather(listener, sender, return_exceptions=True)
    if isinstance(result, Exception):
        raise result


async def _send_log(socket: WebSocket, lines: AsyncIterator[str], stopping: asyncio.Event) -> None:
    try:
        async for line in until(lines, stopping):
            await socket.send_json(_message("success", payload=_log_payload(line or "")))
        await socket.send_json(_message("success", "EOF"))
        await socket.close()
    except (WebSocketDisconnect, RuntimeError):
        return  # the client has seen enough


class Wish(BaseModel):
    """What a client asks for when it follows a log; which pod is in the URL already."""

    tail_lines: int = Field(50, ge=0, le=MOST_TAIL_LINES)


async def _read_wish(socket: WebSocket) -> Wish:
    """The client's first message; without one that can be read, what the `bentoml` client asks for."""
    try:
        message = await asyncio.wait_for(socket.receive_text(), WISH_TIMEOUT)
        return Wish.model_validate(json.loads(message).get("payload") or {})
    except (WebSocketDisconnect, asyncio.TimeoutError, ValueError, AttributeError, KeyError, RuntimeError):
        return Wish()


def _log(cloud: Cloud, pod: str, lines: int) -> AsyncIterator[str]:
    if pod.startswith(BUILDER_PREFIX):
        return cloud.controller.image_log(pod.removeprefix(BUILDER_PREFIX), lines)
    if pod.startswith(CODESPACE_PREFIX):
        name = cloud.view(pod.removeprefix(CODESPACE_PREFIX)).name
        return _instance_log(cloud, name, None, lines)
    for view in cloud.controller.views():
        if any(instance.id == pod for instance in view.instances):
            return _instance_log(cloud, view.name, pod, lines)
    raise NotFoundError(f"there is no pod {pod!r}")


async def _instance_log(
    cloud: Cloud, deployment: str, instance: str | None, lines: int
) -> AsyncIterator[str]:
    async for line in cloud.controller.follow_log(deployment, instance, lines):
        yield line.text


async def _answer_heartbeats(socket: WebSocket) -> None:
    """Read what the client sends after its wish: heartbeats."""
    try:
        while True:
            message = json.loads(await socket.receive_text())
            if isinstance(message, dict) and message.get("type") == "heartbeat":
                await socket.send_json(_message("heartbeat"))
    except (WebSocketDisconnect, ValueError, KeyError, RuntimeError):
        return


def _instance_pod(instance: InstanceView, bento: str) -> dict[str, Any]:
    labels = _api_server_labels(bento)
    return _pod(instance.id, labels, _POD_STATUS[instance.state], instance.reason, instance.service)


def _api_server_labels(bento: str) -> dict[str, str]:
    name, _, version = bento.partition(":")
    return {
        "yatai.ai/bento-repository": name,
        "yatai.ai/bento": version,
        "yatai.ai/bento-function-component-type": "api-server",
    }


def _pod(
    name: str, labels: dict[str, str], status: tuple[str, str], reason: str, runner: str = ""
) -> dict[str, Any]:
    word, phase = status
    return {
        "name": name,
        "namespace": "",
        "labels": labels,
        "pod_status": {"status": word, "reason": reason},
        "status": {"phase": phase, "ready": word == "Running"},
        "runner_name": runner,
    }


def _log_payload(line: str) -> dict[str, Any]:
    # A whole line each: the client decodes every item on its own.
    return {"items": [base64.b64encode(f"{line}\n".encode()).decode()], "type": "append"}


def _message(kind: str, message: str = "", payload: Any = None) -> dict[str, Any]:
    return {"type": kind, "message": message, "payload": payload}


async def _send_pods(socket: WebSocket, pods: list[dict[str, Any]]) -> None:
    await socket.accept()
    await socket.send_json(_message("success", payload=pods))
    await socket.close()


async def _send_error(socket: WebSocket, message: str) -> None:
    if socket.application_state is not WebSocketState.CONNECTED:
        await socket.accept()
    await socket.send_json(_message("error", message))
    await socket.close()


routes = [
    WebSocketRoute("/ws/v1/clusters/{cluster}/pods", image_builder_pods),
    WebSocketRoute("/ws/v1/clusters/{cluster}/tail", tail),
    WebSocketRoute("/ws/v2/deployments/{name}/pods", deployment_pods),
]
