"""The routes of this process: what each message of the control plane does."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

from .frontend import CallerConnection
from .route import Policy, Route

__all__ = ["Gateway"]

_log = logging.getLogger(__name__)

_BACKLOG = 2048


class _Listener:
    """The public port of a deployment and the connections that came through it."""

    def __init__(self, route: Route, policy: Policy, tls: ssl.SSLContext | None) -> None:
        self._connections: set[CallerConnection] = set()
        self._route = route
        self._tls = tls
        self.address = (policy.host, policy.port)
        # Accepted sockets inherit proto, and asyncio sets TCP_NODELAY only where it says TCP.
        # Never SO_REUSEPORT: a leftover process would silently get half of the connections.
        family = socket.AF_INET6 if ":" in policy.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(self.address)
            self._socket.listen(_BACKLOG)
            self._socket.setblocking(False)
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._closed = False
        self._task = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.get_running_loop().create_server(
            lambda: CallerConnection(self._route, self._connections),
            sock=self._socket,
            backlog=_BACKLOG,
            ssl=self._tls,
        )
        self._server = server
        if self._closed:
            server.close()

    def close(self) -> None:
        """Accept nobody any more; end each connection after its request in progress."""
        self._closed = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.end()


class Gateway:
    """All deployments of this process.

    Args:
        send: Takes messages for the control plane.
        tls: How callers are served TLS; None = plain HTTP.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None], tls: ssl.SSLContext | None = None) -> None:
        self._send = send
        self._tls = tls
        self._routes: dict[str, Route] = {}
        self._listeners: dict[str, _Listener] = {}

    def handle(self, message: dict[str, Any]) -> None:
        """Do what a message of the control plane says (docs/architecture.md, "Control plane <-> gateway").

        Raises:
            KeyError, TypeError, ValueError: The message is not one of the contract.
        """
        deployment = str(message["deployment"])
        match message["op"]:
            case "route":
                self._set_route(deployment, Policy.from_message(message))
            case "replicas":
                replicas = [(str(one["id"]), str(one["socket"])) for one in message["replicas"]]
                route = self._routes.get(deployment)
                if route is None:
                    _log.warning("replicas for deployment %r, which has no route", deployment)
                else:
                    route.set_replicas(replicas)
            case "remove":
                self._remove(deployment)
            case unknown:
                raise ValueError(f"unknown op {unknown!r}")

    def _set_route(self, deployment: str, policy: Policy) -> None:
        route = self._routes.get(deployment)
        if route is None:
            route = self._routes[deployment] = Route(deployment, policy, self._send)
        else:
            route.configure(policy)
        listener = self._listeners.get(deployment)
        if listener is not None:
            if listener.address == (policy.host, policy.port):
                return
            del self._listeners[deployment]
            listener.close()
        try:
            listener = _Listener(route, policy, self._tls)
        except OSError as error:
            self._send(
                {"op": "listen-failed", "deployment": deployment, "port": policy.port, "error": str(error)}
            )
            return
        self._listeners[deployment] = listener
        self._send({"op": "listening", "deployment": deployment, "port": listener.port})

    def _remove(self, deployment: str) -> None:
        listener = self._listeners.pop(deployment, None)
        if listener is not None:
            listener.close()
        route = self._routes.pop(deployment, None)
        if route is not None:
            route.close()
