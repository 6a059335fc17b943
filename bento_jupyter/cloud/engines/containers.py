"""Instances in containers: how one is started, and what is left of earlier ones is ended.

The container's first process is `contained.py`. It gets the same open descriptors as a replica that is a
process of this machine, over a Unix socket that is mounted into the container, and so serves in the same way:
gateway, logs, reports and measurements know no difference. Unix sockets and descriptors pass between
processes of one kernel only, hence Linux.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import NoBuilderError
from ...home import Home
from ...launcher import REPLICA_PROGRAM, ReplicaProcess, bind, serving_envs
from ..builders import last_line
from ..oci import OciImage, recorded
from .memory import most_memory

__all__ = ["CONTAINED_PROGRAM", "end_leftover_containers", "launch_container", "require_platform"]

logger = logging.getLogger(__name__)

#: The first program of a container.
CONTAINED_PROGRAM = REPLICA_PROGRAM.with_name("contained.py")
#: Label of all containers: the home of the cloud that they belong to.
LABEL = "bento-jupyter.home"
#: What the log of an instance begins with where the kernel holds its limits in part only.
UNLIMITED = (
    "[WARNING] {} of this container: not limited by the kernel: {} may not set limits for this user, who has "
    "no cgroup controllers (docs/containers.md, Limits); memory is measured once a second instead\n"
)
#: Where things of this cloud are in a container.
INSIDE = "/run/bento-jupyter"
#: Memory of the instance: variables and files of secrets must not be on a disk.
SCRATCH = "/run/bento-jupyter-scratch"
#: Group that owns the Bento in images of BentoML.
BENTO_GROUP = 1034
#: Seconds that a container may take to start; then, seconds between looks at whether it still lives.
START_TIMEOUT, LOOK_INTERVAL = 120.0, 2.0
#: Seconds that removing a container may take.
REMOVE_TIMEOUT = 60.0
#: What docker and nerdctl say of the limits that they can set.
LIMITS = "of:{{if .MemoryLimit}} memory{{end}}{{if .CPUCfsQuota}} cpu{{end}}"
#: Is there where the driver of NVIDIA's GPUs is.
GPU_DRIVER = Path("/dev/nvidiactl")


class ContainerProcess:
    """The replica in a container; like a `subprocess.Popen` to those who wait for it.

    Args:
        container: Name of the container.
        runner: The program that runs it.
        pid: Process id of the replica on this machine.
        control: Connection to its first process.

    Attributes:
        pid: As given.
        returncode: Its exit code once it has ended (negative: the signal that ended it).
        out_of_memory: The kernel ended it because it used more than its limit.
    """

    def __init__(self, container: str, runner: str, pid: int, control: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.out_of_memory = False
        self._container = container
        self._runner = runner
        self._control = control
        self._reading = threading.Lock()
        self._said = b""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Returns:
            Its exit code (negative: the signal that ended it).

        Raises:
            subprocess.TimeoutExpired: It has not ended within `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            poll = select.poll()
            poll.register(self._control, select.POLLIN)
            if not poll.poll(None if left is None else left * 1000):
                raise subprocess.TimeoutExpired("replica", timeout or 0)
            with self._reading:
                if self.returncode is None:
                    self._read()
        return self.returncode

    def terminate(self) -> None:
        """Ask it to end.

        Raises:
            ProcessLookupError: It is gone.
        """
        try:
            self._control.sendall(b"T")
        except OSError as error:
            raise ProcessLookupError from error

    def kill(self) -> None:
        """End it, and all else in the container, at once."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    def release(self) -> None:
        """Nobody will ask about it any more; the container is gone after."""
        self._control.close()
        remove(self._runner, [self._container])

    def _read(self) -> None:
        """Read what has come; its end is the end of the container."""
        try:
            chunk = self._control.recv(4096)
        except OSError:
            chunk = b""
        self._said += chunk
        if not chunk:
            told = {"code": -9}  # the container was killed as a whole
            with contextlib.suppress(ValueError):
                told = json.loads(self._said)
            self.out_of_memory = bool(told.get("out_of_memory"))
            self.returncode = int(told["code"])


class ContainerReplica(ReplicaProcess):
    """A replica in a container.

    Attributes:
        process: Its process.
    """

    process: ContainerProcess

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel has ended it because it used more than the container may have."""
        return self.process.out_of_memory


def launch_container(
    image: OciImage,
    socket_path: Path,
    *,
    name: str,
    home: Home,
    service: str,
    envs: Mapping[str, str],
    files: Mapping[str, bytes],
    log: Path,
    scratch: Path,
    cpus: float,
    memory_bytes: int,
    gpus: Sequence[str],
    remotes: Mapping[str, Path],
) -> ContainerReplica:
    """Start a replica in a container; returns once its process is there. Call it in a thread.

    Args:
        image: The image, in which the Bento is.
        socket_path: Where to bind the Unix socket; a file that is there is replaced.
        name: Name of the container, unique on this machine.
        home: Of the cloud that it belongs to.
        service: Service to serve; "" = the entry service.
        envs: Environment variables, on top of the image's.
        files: Content of files, by path below its `BENTOML_HOME`.
        log: File that gets its stdout and stderr, appended.
        scratch: See `launch_replica`; only the folder that it is in is used here.
        cpus: CPUs that it may use.
        memory_bytes: Memory that it may use.
        gpus: The GPUs that it is given.
        remotes: Services that are called at these Unix sockets instead of run in the same process.

    Returns:
        The replica.

    Raises:
        OSError: It could not be started.
    """
    started = time.monotonic()
    require_platform()
    folder = Path(SCRATCH)
    order = {
        "envs": {**serving_envs(folder, cpus), **envs},
        "files": {path: content.hex() for path, content in files.items()},
        "folders": [str(folder / each) for each in ("home", "bentoml", "metrics")],
        "most_memory": most_memory(memory_bytes),
        "settings": {
            "service": service,
            "started": started,
            "remotes": {each: f"file://{INSIDE}/sockets/{path.name}" for each, path in remotes.items()},
        },
    }
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    door = socket_path.with_suffix(".door")
    command = [
        *(image.runner, "run", "--detach", "--rm", "--pull", "never", "--name", name),
        *("--label", f"{LABEL}={home.root}", "--network", "host", "--security-opt", "no-new-privileges"),
        # nerdctl knows neither SELinux nor how to keep no log.
        *(("--log-driver", "none", "--security-opt", "label=disable") if image.runner != "nerdctl" else ()),
        *user_options(image.runner),
        *limit_options(image.runner, cpus, memory_bytes),
        *gpu_options(image.runner, gpus),
        *("--tmpfs", f"{SCRATCH}:rw,mode=1777"),
        *("--volume", f"{door}:{INSIDE}/door"),
        *(word for each in programs() for word in ("--volume", f"{each}:{INSIDE}/{each.name}:ro")),
        *(("--volume", f"{home.sockets}:{INSIDE}/sockets") if remotes else ()),
        *("--entrypoint", "python", image.reference),
        *("-I", "-u", f"{INSIDE}/{CONTAINED_PROGRAM.name}", f"{INSIDE}/door"),
    ]
    with contextlib.ExitStack() as undo, contextlib.ExitStack() as ours:
        entrance = ours.enter_context(bind(door))
        ours.callback(door.unlink, missing_ok=True)
        listener = ours.enter_context(bind(socket_path))
        undo.callback(socket_path.unlink, missing_ok=True)
        (report_read, report_write), (lifeline_read, lifeline_write) = os.pipe(), os.pipe()
        for descriptor in (report_write, lifeline_read):
            ours.callback(os.close, descriptor)
        for descriptor in (report_read, lifeline_write):
            undo.callback(os.close, descriptor)
        os.set_blocking(report_read, False)
        output = ours.enter_context(log.open("ab"))
        if unset := limits_not_set(image.runner):
            output.write(UNLIMITED.format(" and ".join(unset), image.runner).encode())
            output.flush()
        undo.callback(remove, image.runner, [name])
        run(command, image.runner, scratch.parent)
        control = admit(entrance, image.runner, name)
        undo.callback(control.close)
        pid = give_order(control, order, [listener.fileno(), report_write, lifeline_read, output.fileno()])
        process = ContainerProcess(name, image.runner, pid, control)
        undo.pop_all()
    return ContainerReplica(
        process,
        socket_path=socket_path,
        report_fd=report_read,
        lifeline_fd=lifeline_write,
        scratch=scratch,
        log=log,
    )


def end_leftover_containers(home: Home) -> None:
    """End and remove the containers of an earlier run of this cloud; most have gone by themselves."""
    records = (recorded(home, path.stem) for path in home.images.glob("*.json"))
    for runner in {image.runner for image in records if image is not None}:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            left = subprocess.run(
                [runner, "ps", "--all", "--quiet", "--filter", f"label={LABEL}={home.root}"],
                capture_output=True,
                text=True,
                check=True,
                timeout=REMOVE_TIMEOUT,
            ).stdout.split()
            if left:
                logger.warning("removing %d containers, which an earlier run left behind", len(left))
                remove(runner, left)


def require_platform() -> None:
    """See to it that instances can run in containers here.

    Raises:
        NoBuilderError: They cannot: containers run in a virtual machine, as on macOS.
    """
    if sys.platform != "linux":
        raise NoBuilderError(
            "instances run in containers on Linux only",
            hint="push the image to a registry (%bento_image NAME --push), or use a cloud on Linux",
        )


def run(command: Sequence[str], runner: str, folder: Path) -> None:
    """Start a container.

    Args:
        command: What starts it.
        runner: The program in it.
        folder: Where podman's monitor notes that a container ran out of memory: a file `oom`.

    Raises:
        OSError: Its engine refuses to.
    """
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_TIMEOUT,
            cwd=folder,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{runner} did not start the container within {START_TIMEOUT:g} s") from error
    if done.returncode:
        raise OSError(f"{runner}: {last_line(done.stderr)}")


def admit(entrance: socket.socket, runner: str, name: str) -> socket.socket:
    """Wait for a container's first process.

    Raises:
        OSError: It ended before, or took too long.
    """
    deadline = time.monotonic() + START_TIMEOUT
    entrance.settimeout(LOOK_INTERVAL)
    while True:
        with contextlib.suppress(TimeoutError, socket.timeout):
            control, _ = entrance.accept()
            control.settimeout(START_TIMEOUT)
            return control
        alive = subprocess.run([runner, "inspect", name], capture_output=True, check=False).returncode == 0
        if not alive or time.monotonic() > deadline:
            raise OSError(
                "the image's `python` does not run the replica program: it has to be Python 3.9 or newer"
                if not alive
                else f"the container did not come up within {START_TIMEOUT:g} s"
            )


def give_order(control: socket.socket, order: Mapping[str, Any], descriptors: Sequence[int]) -> int:
    """Tell a container's first process what to serve; gives the replica's process id on this machine.

    Raises:
        OSError: It has ended.
    """
    credentials = struct.Struct("3i")
    control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    text = json.dumps(order).encode()
    socket.send_fds(control, [b"\0"], descriptors)
    control.sendall(struct.pack("!Q", len(text)) + text)
    said, ancillary, _, _ = control.recvmsg(1, socket.CMSG_SPACE(credentials.size))
    for level, kind, data in ancillary:
        if said and (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            control.settimeout(None)
            return int(credentials.unpack(data[: credentials.size])[0])
    raise OSError("the container ended before it served")


def remove(runner: str, containers: Sequence[str]) -> None:
    """End and remove containers, those that are gone already as well."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            [runner, "rm", "--force", *containers], capture_output=True, check=False, timeout=REMOVE_TIMEOUT
        )


def programs() -> list[Path]:
    """The programs that lie in each container."""
    return [CONTAINED_PROGRAM, REPLICA_PROGRAM, REPLICA_PROGRAM.with_name("stock.py")]


def user_options(runner: str) -> list[str]:
    """In a container an instance is who it is without: the user of the cloud.

    Without root that is the container's root, which outside is nobody but the user.
    """
    if runner != "docker" or os.getuid() == 0 or "rootless" in info(runner, "{{.SecurityOptions}}"):
        return ["--user", "0:0"]
    return ["--user", f"{os.getuid()}:{os.getgid()}", "--group-add", str(BENTO_GROUP)]


def limit_options(runner: str, cpus: float, memory_bytes: int) -> list[str]:
    """Limits of an instance type, as far as this user may set them: see `limits_not_set`."""
    options = {
        "memory": ["--memory", str(memory_bytes), "--memory-swap", str(memory_bytes)],
        "cpu": ["--cpus", f"{cpus:g}"],
    }
    unset = limits_not_set(runner)
    return [word for controller, words in options.items() if controller not in unset for word in words]


def limits_not_set(runner: str) -> list[str]:
    """Which of `memory` and `cpu` the kernel does not limit for this user.

    So it is without root where the cgroup controllers were not handed over to the user. Memory is still
    measured once a second then, and an instance that uses more is ended.
    """
    there = info(runner, "{{.Host.CgroupControllers}}" if runner == "podman" else LIMITS)
    return [controller for controller in ("memory", "cpu") if there.strip() and controller not in there]


def gpu_options(runner: str, gpus: Sequence[str]) -> list[str]:
    """What shows a container its GPUs."""
    if not gpus or not GPU_DRIVER.exists():
        return []
    if runner == "podman":
        return [word for gpu in gpus for word in ("--device", f"nvidia.com/gpu={gpu}")]
    return ["--gpus", f'"device={",".join(gpus)}"']


@functools.lru_cache(maxsize=8)
def info(runner: str, form: str) -> str:
    """What a container engine says of itself; "" when it does not."""
    try:
        return subprocess.run(
            [runner, "info", "--format", form], capture_output=True, text=True, check=False, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
