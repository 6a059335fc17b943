"""`python -m bento_jupyter.cloud.gateway --control FD`: the gateway process."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from .control import ControlChannel
from .server import Gateway

__all__ = ["main"]


async def _serve(control: socket.socket, tls: ssl.SSLContext | None, tasks: str) -> None:
    """Serve until the control plane is gone."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    gateway: Gateway

    def on_message(message: dict[str, Any]) -> None:
        gateway.handle(message)

    channel = ControlChannel(on_message, ended.set)
    gateway = Gateway(channel.send, tls, tasks)
    await loop.create_unix_connection(lambda: channel, sock=control)
    await ended.wait()
    gateway.clean_up()


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    """The `run` of uvloop where there is uvloop, else that of asyncio."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


def _raise_file_limit() -> None:
    """Each caller costs a descriptor, and so does each connection to a replica: take as many as allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        logging.getLogger(__name__).warning("the limit of open files stays as it is: %s", error)


def main(arguments: list[str] | None = None) -> None:
    """Run the gateway until its control channel ends.

    Args:
        arguments: Command line; None = that of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m bento_jupyter.cloud.gateway", description=__doc__)
    parser.add_argument(
        "--control", type=int, required=True, help="descriptor of the socket to the control plane"
    )
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="PEM files; without them plain HTTP")
    parser.add_argument("--tasks", default=":memory:", metavar="FILE", help="where tasks are kept")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Ctrl-C in a terminal reaches the whole process group; the control plane decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _raise_file_limit()
    control = socket.socket(fileno=options.control)
    control.setblocking(False)
    gc.freeze()
    tls = None
    if options.tls:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*options.tls)
    _runner()(_serve(control, tls, options.tasks))


if __name__ == "__main__":
    main()
