"""The first process of a container that serves a Bento: it takes orders from outside and runs the replica.

It lies in the container beside `replica.py` and is run by the image's own interpreter, so it uses the
standard library alone. How it is spoken to: docs/architecture.md, "Containers".

What the replica needs of the machine outside (its listening socket, where it reports, its log) comes over one
connection, as open descriptors: nothing in the container has to be reached from outside, and no secret is on
a command line or in what the container's engine remembers. The connection is a life line as well. This
process ends nothing but by ending itself, with which the kernel ends all else in the container.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import Any

__all__ = ["main"]

#: Descriptors of an order, in this order.
DESCRIPTORS = ("socket_fd", "report_fd", "lifeline_fd", "log_fd")
#: Where the kernel counts what it has killed in this container for want of memory: cgroups 2, then 1.
OOM_COUNTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def receive(control: socket.socket) -> tuple[dict[str, Any], dict[str, int]]:
    """The order and its descriptors."""
    _, descriptors, _, _ = socket.recv_fds(control, 1, len(DESCRIPTORS))
    with control.makefile("rb") as file:
        (size,) = struct.unpack("!Q", file.read(8))
        order = json.loads(file.read(size))
    return order, dict(zip(DESCRIPTORS, descriptors))  # noqa: B905 - runs on Python 3.9, too


def become_replica(order: dict[str, Any], descriptors: dict[str, int]) -> None:
    """Serve; ends as the replica program does."""
    log = descriptors.pop("log_fd")
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    for name, content in order["files"].items():
        path = Path(order["envs"]["BENTOML_HOME"], name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(bytes.fromhex(content))
    for folder in order["folders"]:
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.update(order["envs"])
    if not os.access(os.environ.get("HOME") or "/nowhere", os.W_OK):
        os.environ["HOME"] = order["folders"][0]
    resource.setrlimit(resource.RLIMIT_DATA, (order["most_memory"], order["most_memory"]))
    bento = os.environ.get("BENTO_PATH") or os.getcwd()
    os.chdir(bento)
    sys.path.insert(0, str(Path(__file__).parent))
    replica = importlib.import_module("replica")
    del sys.path[0]
    replica.main(json.dumps({**order["settings"], **descriptors, "bento": bento}))


def supervise(child: int, control: socket.socket) -> int:
    """Wait for the replica's end, pass on what is asked for meanwhile, and tell how it ended.

    Returns:
        The exit code of the container.
    """

    def obey() -> None:
        with contextlib.suppress(OSError):
            while control.recv(1):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    threading.Thread(target=obey, daemon=True).start()
    before = oom_kills()
    while True:
        pid, status = os.wait()  # what the replica has left behind is this process's, too
        if pid == child:
            break
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    out_of_memory = code == -signal.SIGKILL and oom_kills() > before
    with contextlib.suppress(OSError):
        control.sendall(json.dumps({"code": code, "out_of_memory": out_of_memory}).encode())
    return code if code >= 0 else 128 - code


def oom_kills() -> int:
    """How many processes of this container the kernel has killed for want of memory."""
    for place in OOM_COUNTS:
        with contextlib.suppress(OSError, ValueError):
            for line in Path(place).read_text(encoding="ascii").splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    return 0


def main(place: str) -> None:
    """Serve as the connection at `place` (a Unix socket) orders."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.connect(place)
    order, descriptors = receive(control)
    child = os.fork()
    if child == 0:
        os.setsid()
        control.sendall(b"\0")  # with it goes who sent it: the kernel says so in the receiver's numbers
        control.close()
        become_replica(order, descriptors)
        return
    for descriptor in descriptors.values():
        os.close(descriptor)
    os._exit(supervise(child, control))


if __name__ == "__main__":
    main(sys.argv[1])
