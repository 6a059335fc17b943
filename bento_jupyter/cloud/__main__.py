"""`python -m bento_jupyter.cloud [--home DIR] ...`: run the embedded cloud of one home, in the foreground.

Ends with 0 when it was told to stop (SIGTERM, SIGINT, `POST /api/bj/v1/shutdown`) or when a cloud runs
for this home already; with 1 when it could not start.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import logging
import logging.handlers
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import IO, Any

import uvicorn
from pydantic import ValidationError

from .. import __version__
from ..errors import BentoJupyterError
from ..home import CloudState, Home
from .app import create_app
from .connection import BoundedConnection
from .engine_choice import add_engine_options, engine_told, remember_engine
from .engines import Engine, make_engine
from .instance_types import read_instance_types
from .ports import bind_control_plane
from .settings import CloudSettings

__all__ = ["main"]

logger = logging.getLogger(__name__)

#: Seconds that requests in flight get when the cloud stops.
GRACE = 3


def main(arguments: list[str] | None = None) -> int:
    """Run the embedded cloud until it is told to stop.

    Args:
        arguments: Command line; None = that of the process.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m bento_jupyter.cloud", description="The embedded cloud.")
    parser.add_argument("--home", type=Path, help="where it keeps everything (default: BENTO_JUPYTER_HOME)")
    parser.add_argument("--host", help="address to listen at (default: 127.0.0.1, this machine only)")
    parser.add_argument("--port", type=int, help="port of the control plane (default: that of last time)")
    parser.add_argument(
        "--public-host",
        action="append",
        dest="public_hosts",
        metavar="NAME",
        help="name that others call it by; URLs name the first one",
    )
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate, PEM")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its key, PEM")
    parser.add_argument("--insecure", action="store_true", help="plain HTTP at another address than loopback")
    add_engine_options(parser)
    options = parser.parse_args(arguments)
    told = {
        name: value for name, value in vars(options).items() if name != "home" and value not in (None, False)
    }
    home = Home(options.home.expanduser().resolve()) if options.home else Home.default()
    os.umask(0o077)
    try:
        home.create()
        lock = home.lock_file.open("a")
    except OSError as error:
        sys.stderr.write(f"the cloud cannot use {home.root}: {error}\n")
        return 1
    with lock:
        if not _lock(lock):
            running = home.read_state()
            where = f" at {running.endpoint}" if running else ""
            sys.stderr.write(f"a cloud runs for {home.root} already{where}\n")
            return 0
        # Whoever held the lock is dead: its word is out of date.
        home.state_file.unlink(missing_ok=True)
        _log_to(home.logs / "cloud.log")
        try:
            settings = CloudSettings.from_environment(home, **engine_told(home, told))
            return _serve(settings)
        except (BentoJupyterError, ValidationError, OSError) as error:
            reason = _reason(error)
            logger.error("cannot start: %s", reason)
            sys.stderr.write(f"the cloud cannot start: {reason}\n")
            return 1
        finally:
            home.state_file.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    if isinstance(error, BentoJupyterError) and error.hint:
        return f"{error.message} ({error.hint})"
    if not isinstance(error, ValidationError):
        return str(error)
    found = error.errors(include_url=False, include_context=False, include_input=False)
    said = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ") for each in found]
    return "; ".join(each.removeprefix("Value error, ") for each in said)


def _lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _log_to(path: Path) -> None:
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=5_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _serve(settings: CloudSettings) -> int:
    # What cannot be used is told before anything begins.
    _ = settings.tls, read_instance_types(settings.home.instance_types)
    engine = make_engine(settings)
    remember_engine(settings)
    with bind_control_plane(settings) as listener:
        endpoint = settings.url(listener.getsockname()[1])
        server = CloudServer(settings, endpoint, engine)
        logger.info("cloud %s for %s starts at %s", __version__, settings.home.root, endpoint)
        with contextlib.suppress(SystemExit):  # how uvicorn ends when the application does not start
            runner()(server.serve(sockets=[listener]))
        if not server.was_up:
            sys.stderr.write(f"the cloud could not start; {settings.home.logs / 'cloud.log'} says why\n")
            return 1
        logger.info("cloud stopped")
        return 0


def runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    """The `run` of uvloop where there is uvloop, else that of asyncio."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


class CloudServer(uvicorn.Server):
    """uvicorn, with a state file while it answers, and endless answers that end when it is told to stop.

    Args:
        settings: The cloud's settings.
        endpoint: Base URL.
        engine: What runs instances.
    """

    def __init__(self, settings: CloudSettings, endpoint: str, engine: Engine) -> None:
        self._home = settings.home
        self._settings = settings
        self._endpoint = endpoint
        self._app = create_app(settings, endpoint=endpoint, shut_down=self.stop, engine=engine)
        self.was_up = False
        super().__init__(
            uvicorn.Config(
                self._app,
                http=BoundedConnection,
                lifespan="on",
                ws="wsproto",
                log_config=None,
                access_log=False,  # paths carry login codes
                server_header=False,
                proxy_headers=False,
                ssl_certfile=settings.tls_cert,
                ssl_keyfile=settings.tls_key,
                timeout_graceful_shutdown=GRACE,
            )
        )

    def stop(self) -> None:
        """Stop softly. May be called in a signal handler of the loop."""
        self.should_exit = True
        stopping: asyncio.Event | None = getattr(self._app.state, "stopping", None)
        if stopping is not None:
            stopping.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT; unlike uvicorn, which raises them again at the end, exit with 0."""
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, self.stop)
        try:
            yield
        finally:
            for signal_number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(signal_number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell the world where."""
        await super().startup(sockets)
        if self.started:
            self.was_up = True
            self._home.write_state(
                CloudState(
                    endpoint=self._endpoint,
                    token_file=str(self._home.token_file),
                    pid=os.getpid(),
                    started_at=time.time(),
                    version=__version__,
                    tls_cert=str(self._settings.tls_cert or ""),
                )
            )


if __name__ == "__main__":
    sys.exit(main())
