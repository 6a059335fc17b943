"""The program that serves one Bento: one process, one listening Unix socket, reports instead of polling.

It is run by path with the interpreter of the Bento's own environment, where bento_jupyter is not
installed: only the standard library is imported at module level, bentoml and uvicorn inside functions.
How it is started and what it reports: docs/architecture.md, "The replica program".

What it does is what `bentoml serve` does for a Bento (`_bentoml_impl/server/serving.py` and
`_bentoml_impl/worker/service.py` of BentoML 1.4), without its supervisor and second process.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import functools
import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from typing import Any

__all__ = ["main"]

#: Versions of BentoML whose inner parts this program knows; any other is served by `bentoml serve`.
KNOWN_VERSIONS = ("1.4.",)
#: Exit code after a failed start, the one uvicorn uses too.
START_FAILED = 3
#: Only the gateway connects, and it pools connections: the replica must not be the one that closes them.
KEEP_ALIVE_SECONDS = 24 * 3600
#: As `bentoml serve` does.
BACKLOG = 2048
#: Bytes of a body beyond which it is not copied to be behind its head.
LARGEST_PIECE = 2**16
#: Seconds that a call of another service may take: longer than the gateway gives it.
REMOTE_TIMEOUT = 24 * 3600


class Report:
    """Tells the supervisor how the start goes, one JSON line per phase.

    Args:
        descriptor: Where to write.
        started: `time.monotonic()` (a clock of the whole system) when the supervisor started this process.
    """

    def __init__(self, descriptor: int, started: float) -> None:
        self._descriptor = descriptor
        self._started = started

    def phase(self, name: str) -> None:
        """A phase is over."""
        self._write({"phase": name, "seconds": round(time.monotonic() - self._started, 6)})

    def failed(self, text: str) -> None:
        """The start failed; `text` is the traceback."""
        lines = [line for line in text.splitlines() if line.strip()]
        self._write({"phase": "failed", "error": lines[-1].strip() if lines else "", "traceback": text})

    def close(self) -> None:
        """Nothing more will be reported."""
        os.close(self._descriptor)

    def _write(self, message: dict[str, Any]) -> None:
        # A supervisor that is gone is dealt with by the lifeline.
        with contextlib.suppress(OSError):
            data = json.dumps(message).encode() + b"\n"
            while data:
                data = data[os.write(self._descriptor, data) :]


def end_with_supervisor(lifeline: int, parent: int | None) -> None:
    """End this process, and all it started, when its supervisor dies.

    Args:
        lifeline: Read end of a pipe whose write end only the supervisor has.
        parent: Process id of the supervisor, to have the kernel kill this process too, which works even
            when this process is stopped or holds the interpreter lock (Linux only). None = do not: the
            kernel's signal comes when the *thread* ends that started this process.
    """

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(lifeline, 64):
                pass
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    if parent is not None and sys.platform == "linux":
        pr_set_pdeathsig = 1
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)


def use_speedups() -> None:
    """Import the event loop and the parser that lie beside this environment, for uvicorn to find.

    Those of the environment itself come first. `speedups.py` puts them there, and says why not into it.
    """
    folder = os.path.join(sys.prefix, "speedups")
    sys.path.append(folder)
    for name in ("uvloop", "httptools"):
        with contextlib.suppress(ImportError):  # slower, not wrong
            importlib.import_module(name)
    sys.path.remove(folder)


def apply_default_envs(envs: Any) -> None:
    """Set the environment variables that the Bento gives a value to and the deployment does not."""
    for env in envs:
        if env.stage != "build" and env.value:
            os.environ.setdefault(env.name, str(env.value))


def check_required_envs(services: dict[str, Any]) -> None:
    """Apply what the services' code says about environment variables, as `bentoml serve` does.

    Raises:
        RuntimeError: A variable that a service needs has no value.
    """
    for service in services.values():
        for env in service.envs:
            if env.stage == "build" or env.name in os.environ:
                continue
            if not env.value:
                raise RuntimeError(
                    f"Environment variable {env.name!r} is required by service {service.name!r} but not set. "
                    "Give it to the deployment, or a default value to the service."
                )
            os.environ[env.name] = str(env.value)


def read_yaml_fast() -> None:
    """Let BentoML read YAML by libyaml where it is there: to the same values, in a tenth of the time."""
    import yaml  # type: ignore[import-untyped]

    yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_service(bento: str, name: str, remotes: dict[str, str]) -> Any:
    """Load the Bento's service (and with it all that it depends on) as a worker of `bentoml serve` does.

    Args:
        bento: Folder of the Bento.
        name: Name of the service to serve; "" = the entry service.
        remotes: Services that are called at these URLs (`file://` = a Unix socket), not run here.
    """
    from _bentoml_impl.loader import load
    from _bentoml_impl.server.serving import server_on_deployment
    from bentoml import Bento
    from bentoml._internal.container import BentoMLContainer
    from bentoml._internal.context import server_context
    from bentoml._internal.log import configure_server_logging
    from bentoml._internal.utils.uri import join_paths

    read_yaml_fast()
    info = Bento.from_path(bento).info
    apply_default_envs(info.envs)
    # Before the first line of log, which is where BentoML looks up the name that all lines bear.
    server_context.service_type = "entry_service"
    server_context.service_name = name or info.entry_service
    server_context.worker_index = 1
    configure_server_logging()
    BentoMLContainer.remote_runner_mapping.set(remotes)
    service = load(bento, standalone_load=True)
    if name and name != service.name:
        service = service.find_dependent_by_name(name)
        server_context.service_type = "service"
    services = {key: each for key, each in service.all_services().items() if key not in remotes}
    check_required_envs(services)
    for each in services.values():
        each.config["workers"] = 1  # this process is the only one: limits must not be divided by the workers
    for key, each in service.all_services().items():
        if key in remotes:  # the gateway keeps their time, and a request may wait for a first instance
            traffic = each.config.get("traffic") or {}
            each.config["traffic"] = {**traffic, "timeout": REMOTE_TIMEOUT}
    BentoMLContainer.development_mode.set(False)
    server_context.service_name = service.name
    server_context.service_routes = [
        join_paths(service.path_prefix, api.route) for api in service.apis.values()
    ]
    tag = service.bento.tag if service.bento is not None else None
    server_context.bento_name = tag.name if tag else service.name
    server_context.bento_version = (tag.version if tag else None) or "not available"
    service.inject_config()
    with contextlib.suppress(ImportError, AttributeError):  # private; without it answers take longer
        remember_media_types()
    for each in services.values():
        server_on_deployment(each)
    return service


def build_app(service: Any, is_main: bool) -> Any:
    """The ASGI application of a loaded service, without BentoML's own timeout where that is possible.

    `TimeoutMiddleware` of BentoML 1.4 never cancels its timers: each request stays in memory for the whole
    timeout. The gateway enforces the timeout instead.
    """
    try:
        from _bentoml_impl.server.app import ServiceAppFactory

        factory = ServiceAppFactory(service, is_main=is_main)
        factory.timeout = None
        return factory()
    except (ImportError, TypeError, AttributeError):
        return service.to_asgi(is_main=is_main)


def remember_media_types() -> None:
    """Let BentoML work out the media type of a method's answers once.

    It does so by the JSON schema of their type, anew for each answer, at a fifth of the time of a short one.
    """
    from _bentoml_sdk.io_models import IOMixin

    mixin: Any = IOMixin
    known: Any = functools.cache(mixin.mime_type.__func__)
    mixin.mime_type = classmethod(known)


class ServedApp:
    """ASGI wrapper for what uvicorn does not do.

    It keeps the traceback of a failed start, which uvicorn only logs. And the head of an answer waits for
    the first bytes of a body of known length, so that both are one write, and wake the gateway once.

    Args:
        app: The ASGI application.

    Attributes:
        app: As given.
        traceback: Of the failed start; "" = none has failed.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.traceback = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.app(scope, receive, head_with_body(send))
            return
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def sent(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                self.traceback = message.get("message") or "the application did not start"
            await send(message)

        await self.app(scope, receive, sent)


def head_with_body(send: Any) -> Any:
    """A `send` that keeps the head of an answer with a length until the body begins."""
    head: Any = None

    async def sent(message: Any) -> None:
        nonlocal head
        if message["type"] == "http.response.start" and any(
            name == b"content-length" for name, _ in message.get("headers", ())
        ):
            head = message
            return
        if head is not None:
            kept, head = head, None
            await send(kept)
        await send(message)

    return sent


class JoinedWrites:
    """A transport that writes the head of an answer of known length together with what comes next.

    An answer of which only the head gets through cannot be asked for again. And who waits is woken once.
    All else is written at once: code that computes between two parts of a stream may not let the loop go on.

    Args:
        transport: Where to write.
    """

    def __init__(self, transport: Any) -> None:
        import asyncio

        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write; a head at the latest when the loop goes on."""
        if self._head and len(data) <= LARGEST_PIECE:
            data, self._head = self._head + data, b""
        self._flush()
        if data.startswith(b"HTTP/") and data.endswith(b"\r\n\r\n") and b"\r\ncontent-length: " in data:
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Close when all is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)


def with_joined_writes(protocol: Any) -> Any:
    """A protocol of uvicorn whose answers of known length begin with more than their head."""

    class Joining(protocol):  # type: ignore[misc]
        def connection_made(self, transport: Any) -> None:
            super().connection_made(JoinedWrites(transport))

    return Joining


def serve(app: ServedApp, listener: socket.socket, report: Report, record: str) -> None:
    """Serve until SIGTERM; report when the service's instance, and with it its model, is there.

    Raises:
        SystemExit: The start failed (reported), or the server ended.
    """
    import uvicorn
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if self.started:
                write_modules(record)
                gc.collect()
                gc.freeze()  # what was made during the start lives for ever: never scan it again
                report.phase("ready")
                report.close()

    config = uvicorn.Config(
        app=app,
        http=with_joined_writes(AutoHTTPProtocol),
        backlog=BACKLOG,
        log_config=None,
        workers=1,
        lifespan="on",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = Server(config)
    try:
        server.run(sockets=[listener])
    finally:
        write_modules(record)  # also what the first requests imported
        if not server.started:
            report.failed(app.traceback or traceback.format_exc())
    if not server.started:
        sys.exit(START_FAILED)


def write_modules(file: str) -> None:
    """Write down what this process has imported from its environment, for a zygote to come.

    Args:
        file: Where, as a JSON list in the order of the imports; "" = nowhere.
    """
    if not file:
        return
    roots = tuple(os.path.join(os.path.realpath(prefix), "") for prefix in (sys.prefix, sys.base_prefix))
    names = []
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        origin = getattr(spec, "origin", None)
        if spec is not None and origin and spec.name == name and os.path.realpath(origin).startswith(roots):
            names.append(name)
    aside = f"{file}.{os.getpid()}"
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(aside, "w", encoding="utf-8") as handle:
            json.dump(names, handle)
        os.replace(aside, file)


def warmed_up(settings: dict[str, Any]) -> dict[str, Any] | None:
    """Import what the Bento will import, then wait for the order that names it.

    Returns:
        The settings with those of the order; None when the supervisor gave none.
    """
    for module in settings["imports"]:
        with contextlib.suppress(Exception):  # what the Bento really needs, it will import by itself
            importlib.import_module(module)
    with os.fdopen(settings["order_fd"], "rb") as orders:
        order = orders.readline()
    if not order:
        return None
    settings = {**settings, **json.loads(order)}
    os.chdir(settings["bento"])
    return settings


def hide(folders: list[str], kept: list[str]) -> None:
    """Let files below `folders` not be there, for a proof: a service must not read what only its maker has.

    Python's `open` and the listing of folders are watched; libraries that open files in C are not.

    Args:
        folders: Hidden folders.
        kept: Folders in there that stay. The interpreter's own do, too.
    """
    hidden = tuple(os.path.join(folder, "") for folder in folders)
    inside = (os.path.join(os.path.realpath(at), "") for at in (*kept, sys.prefix, sys.base_prefix))
    stay = tuple(at for at in inside if at.startswith(hidden) and at not in hidden)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("open", "os.listdir", "os.scandir", "sqlite3.connect"):
            return
        path = arguments[0]
        if not isinstance(path, (str, bytes)):
            return
        place = os.path.join(os.path.realpath(os.fsdecode(path)), "")
        if place.startswith(hidden) and not place.startswith(stay):
            why = "it is not in the Bento, but in the notebook's folder"
            raise FileNotFoundError(errno.ENOENT, why, path)

    sys.addaudithook(watch)


def serve_unknown(settings: dict[str, Any], report: Report) -> None:
    """Serve by `bentoml serve`, because this version of BentoML is not known.

    Raises:
        SystemExit: The start failed (reported), or the server ended.
    """
    if settings.get("remotes"):  # `bentoml serve` runs all services of a Bento
        report.failed(
            "this version of BentoML can only be served with all services of a Bento in one instance"
        )
        sys.exit(START_FAILED)
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stock.py")
    spec = importlib.util.spec_from_file_location("bento_jupyter_stock", place)
    assert spec is not None
    assert spec.loader is not None
    stock = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stock)

    def ready() -> None:
        report.phase("load")
        report.phase("ready")
        report.close()

    listener = socket.socket(fileno=settings["socket_fd"])
    reason = stock.serve_stock(settings["bento"], listener, ready)
    if reason:
        report.failed(reason)
        sys.exit(START_FAILED)


def terminate(_signal: int, _frame: Any) -> None:
    """Leave on SIGTERM: before uvicorn has its handler, and when it re-raises the signal at its end."""
    sys.exit(0)


def main(argument: str) -> None:
    """Serve as the JSON `argument` says; see the module's description.

    Args:
        argument: `{"bento", "service", "socket_fd", "report_fd", "lifeline_fd"}` and, optionally, `started`
            (`time.monotonic()` of the supervisor), `parent` (see `end_with_supervisor`), `remotes` (see
            `load_service`), `hidden` and `kept` (see `hide`), `record` (see `write_modules`). Without `bento`
            but with `imports` and `order_fd` it warms up first, and reads the rest as a JSON line there.
    """
    settings = json.loads(argument)
    report = Report(settings["report_fd"], settings.get("started") or time.monotonic())
    report.phase("process")
    signal.signal(signal.SIGTERM, terminate)
    faulthandler.enable()
    if "hidden" in settings:
        hide(settings["hidden"], settings["kept"])
    for inherited in ("socket_fd", "report_fd", "lifeline_fd"):
        os.set_inheritable(settings[inherited], False)  # they are this process's, not its children's
    end_with_supervisor(settings["lifeline_fd"], settings.get("parent"))
    use_speedups()
    try:
        import bentoml

        known = bentoml.__version__.startswith(KNOWN_VERSIONS)
        if known:
            import uvicorn  # noqa: F401

        report.phase("imports")
        if "order_fd" in settings:
            ordered = warmed_up(settings)
            if ordered is None:
                sys.exit(0)
            settings = ordered
        if not known:
            serve_unknown(settings, report)
            return
        service = load_service(
            settings["bento"], settings.get("service") or "", settings.get("remotes") or {}
        )
        from bentoml._internal.context import server_context

        app = ServedApp(build_app(service, is_main=server_context.service_type == "entry_service"))
        report.phase("load")
    except Exception:
        text = traceback.format_exc()
        sys.stderr.write(text)
        report.failed(text)
        sys.exit(START_FAILED)
    serve(app, socket.socket(fileno=settings["socket_fd"]), report, settings.get("record") or "")


if __name__ == "__main__":
    main(sys.argv[1])
