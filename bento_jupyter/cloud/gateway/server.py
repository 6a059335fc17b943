"""The routes of this process: what each message of the control plane does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from .exchange import Exchange
from .frontend import CallerConnection, Conversation
from .heads import RequestHead
from .route import Policy, Route
from .split import MAIN
from .taskcalls import TaskCall, task_action
from .tasks import Tasks

__all__ = ["Gateway"]

_log = logging.getLogger(__name__)

_BACKLOG = 2048


#: Address of a listener: host and port, or the path of a Unix socket.
Address = tuple[str, int] | str


class _Listener:
    """Where callers reach a set of replicas, and the connections that came through it.

    Args:
        address: Where.
        meet: Gives who deals with a request.
        tls: How callers are served TLS; None = plain HTTP.

    Raises:
        OSError: The address cannot be had.
    """

    def __init__(
        self,
        address: Address,
        meet: Callable[[CallerConnection, RequestHead], Conversation],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._connections: set[CallerConnection] = set()
        self._meet = meet
        self._tls = tls
        self.address = address
        self._socket = _bound(address)
        self.port: int | None = None if isinstance(address, str) else self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._closed = False
        self._task = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        make = partial(CallerConnection, self._meet, self._connections)
        if isinstance(self.address, str):
            server = await loop.create_unix_server(make, sock=self._socket, backlog=_BACKLOG)
        else:
            server = await loop.create_server(make, sock=self._socket, backlog=_BACKLOG, ssl=self._tls)
        self._server = server
        if self._closed:
            server.close()

    def close(self) -> None:
        """Accept nobody any more; end each connection after its request in progress."""
        self._closed = True
        self.unlink()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.end()

    def unlink(self) -> None:
        """Remove its Unix socket, if it is one."""
        if isinstance(self.address, str):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.address)


def _bound(address: Address) -> socket.socket:
    if isinstance(address, str):
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    else:
        # Accepted sockets inherit proto, and asyncio sets TCP_NODELAY only where it says TCP.
        # Never SO_REUSEPORT: a leftover process would silently get half of the connections.
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if isinstance(address, str):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(address)  # of a gateway that was killed
            bound.bind(address)
            os.chmod(address, 0o600)
        else:
            bound.bind(address)
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


class Gateway:
    """All deployments of this process.

    Args:
        send: Takes messages for the control plane.
        tls: How callers are served TLS; None = plain HTTP.
        tasks: Path of the file that tasks are kept in; by default they end with this process.
    """

    def __init__(
        self,
        send: Callable[[dict[str, Any]], None],
        tls: ssl.SSLContext | None = None,
        tasks: str = ":memory:",
    ) -> None:
        self._send = send
        self._tls = tls
        self._tasks = Tasks(tasks)
        #: By deployment and set.
        self._routes: dict[tuple[str, str], Route] = {}
        self._listeners: dict[tuple[str, str], _Listener] = {}

    def handle(self, message: dict[str, Any]) -> None:
        """Do what a message of the control plane says (docs/architecture.md, "Control plane <-> gateway").

        Raises:
            KeyError, TypeError, ValueError: The message is not one of the contract.
        """
        key = str(message["deployment"]), str(message.get("set", MAIN))
        match message["op"]:
            case "route":
                self._set_route(key, Policy.from_message(message))
            case "replicas":
                replicas = [(str(one["id"]), str(one["socket"])) for one in message["replicas"]]
                route = self._routes.get(key)
                if route is None:
                    _log.warning("replicas for set %r of deployment %r, which has no route", *reversed(key))
                else:
                    phases = {str(one["id"]): one.get("phases") or {} for one in message["replicas"]}
                    route.set_replicas(replicas, phases)
            case "remove":
                self._remove(key)
            case unknown:
                raise ValueError(f"unknown op {unknown!r}")

    def clean_up(self) -> None:
        """Leave nothing on disk; connections are broken off by the end of the process."""
        for listener in self._listeners.values():
            listener.unlink()
        self._tasks.close()

    def _set_route(self, key: tuple[str, str], policy: Policy) -> None:
        deployment, name = key
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = Route(deployment, policy, self._send, name)
        else:
            route.configure(policy)
        if policy.owner:
            self._tasks.route_changed(route)
        address = policy.socket if policy.port is None else (policy.host, policy.port)
        listener = self._listeners.get(key)
        if listener is not None:
            if listener.address == address:
                return
            del self._listeners[key]
            listener.close()
        if address is None:
            return
        told = {"deployment": deployment, "set": name, "port": policy.port}
        try:
            listener = _Listener(address, partial(self._meet, route), self._tls)
        except OSError as error:
            self._send({"op": "listen-failed", **told, "error": str(error)})
            return
        self._listeners[key] = listener
        self._send({"op": "listening", **told, "port": listener.port})

    def _meet(self, route: Route, caller: CallerConnection, head: RequestHead) -> Conversation:
        """Who deals with a request."""
        if route.policy.split.shares and (name := route.policy.split.choose(head)) != MAIN:
            route = self._routes.get((route.deployment, name), route)
        if route.policy.tasks and (action := task_action(route, head)) is not None:
            return TaskCall(caller, route, head, action, self._tasks)
        return Exchange(caller, route, head)

    def _remove(self, key: tuple[str, str]) -> None:
        listener = self._listeners.pop(key, None)
        if listener is not None:
            listener.close()
        route = self._routes.pop(key, None)
        if route is not None:
            route.close()
            if route.policy.owner:
                self._tasks.route_removed(route)
