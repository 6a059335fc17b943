"""The default engine: instances are processes of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil

from ...errors import ReplicaStartError
from ...home import Home
from ...launcher import (
    REPLICA_PROGRAM,
    ReplicaProcess,
    describe_exit,
    launch_replica,
    log_tail,
)
from ...spec import ColdStart, utc_now
from ...zygote import FORKSERVER_PROGRAM, can_fork
from ..logs import cap_log
from .engine import ReplicaSpec
from .zygotes import Zygotes, ZygoteView, record_of

__all__ = ["ProcessEngine", "ProcessReplica"]

logger = logging.getLogger(__name__)

#: Seconds between looks at the memory and the logs of instances.
SUPERVISION_INTERVAL = 1.0
#: Seconds that an instance may take to start.
START_TIMEOUT = 600.0


@dataclass
class Usage:
    """What the processes of a group use together.

    Attributes:
        memory_bytes: Resident memory.
        cpu_seconds: CPU time since they were started.
    """

    memory_bytes: int = 0
    cpu_seconds: float = 0.0


class ProcessReplica:
    """One process that serves a Bento; see `ReplicaHandle`."""

    def __init__(self, spec: ReplicaSpec, process: ReplicaProcess) -> None:
        self.spec = spec
        self.process = process
        self.started_at: datetime = utc_now()
        self.memory_bytes: int | None = None
        self.cpu: float | None = None
        self._cpu_seconds: tuple[float, float] | None = None
        self.kill_reason = ""
        self._loop = asyncio.get_running_loop()
        self._reported: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._loop.add_reader(process.report_fd, self._read_report, process.report_fd)
        threading.Thread(target=self._watch, name=f"watch-{spec.id}", daemon=True).start()

    @property
    def socket(self) -> Path:
        """Unix socket that it serves on."""
        return self.process.socket_path

    @property
    def pid(self) -> int | None:
        """Its process id."""
        return self.process.pid

    async def ready(self) -> ColdStart:
        """Wait for its report; see `ReplicaHandle.ready`."""
        try:
            await asyncio.wait_for(asyncio.shield(self._reported), START_TIMEOUT)
        except asyncio.TimeoutError:
            raise ReplicaStartError(
                f"not ready after {START_TIMEOUT:g} s (last phase: {self.process.last_phase})",
                log=log_tail(self.process.log),
            ) from None
        if not self.process.ready:
            reason = self.process.error or await self.ended()
            raise ReplicaStartError(reason, traceback=self.process.traceback, log=log_tail(self.process.log))
        phases = dict(self.process.phases)
        return ColdStart(at=self.started_at, seconds=round(sum(phases.values()), 6), phases=phases)

    def when_ready(self, call: Callable[[], None]) -> None:
        """Have something called once it is ready."""
        self._reported.add_done_callback(lambda _: call() if self.process.ready else None)

    async def ended(self) -> str:
        """Wait for its end; see `ReplicaHandle.ended`."""
        code = await asyncio.shield(self._ended)
        return self.kill_reason or describe_exit(code)

    async def stop(self, grace: float) -> None:
        """End it; see `ReplicaHandle.stop`."""
        if not self._ended.done() and grace > 0:
            with contextlib.suppress(ProcessLookupError):
                self.process.process.terminate()
            await asyncio.wait([self._ended], timeout=grace)
        self._close_report()
        self.process.kill()

    def kill(self, reason: str) -> None:
        """End it at once, and remember why."""
        self.kill_reason = reason
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, 9)

    def measured(self, usage: Usage, now: float) -> None:
        """Note what it uses; `now` is the time of a clock that never goes back."""
        self.memory_bytes = usage.memory_bytes
        if self._cpu_seconds is not None:
            then, seconds = self._cpu_seconds
            # A process of its group that has ended takes its seconds with it.
            self.cpu = max(0.0, usage.cpu_seconds - seconds) / max(now - then, 0.001)
        self._cpu_seconds = (now, usage.cpu_seconds)

    def _read_report(self, descriptor: int) -> None:
        if self.process.feed():
            self._loop.remove_reader(descriptor)
            if not self._reported.done():
                self._reported.set_result(None)

    def _close_report(self) -> None:
        if self.process.report_fd >= 0:
            self._loop.remove_reader(self.process.report_fd)
        if not self._reported.done():
            self._reported.set_result(None)

    def _watch(self) -> None:
        code = self.process.process.wait()
        with contextlib.suppress(RuntimeError):  # the loop may be closed when the cloud ends
            self._loop.call_soon_threadsafe(self._note_end, code)

    def _note_end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)


class ProcessEngine:
    """Runs instances as processes of this machine, each in a process group of its own.

    CPU is shared by limits on the threads of BLAS and OpenMP; memory is measured once a second, and an
    instance that uses more than its instance type has is ended with that reason.

    Args:
        home: Where sockets, logs and the instances' scratch folders are.
        zygotes: Whether instances are forked from processes that are kept warm, where the machine can.
    """

    def __init__(self, home: Home, *, zygotes: bool = True) -> None:
        self._home = home
        self._has_zygotes = zygotes and can_fork()
        self._scratch = Path(tempfile.gettempdir()) / f"bento-jupyter-replicas-{os.getpid()}"
        self._replicas: dict[str, ProcessReplica] = {}
        self._zygotes = Zygotes(home.cloud / "scratch", home.logs / "zygotes", home.root)
        self._supervisor: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """End what an earlier run left behind, and begin to supervise."""
        await asyncio.to_thread(self._end_leftovers)
        self._scratch = self._home.cloud / "scratch"
        await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)
        self._scratch.mkdir(mode=0o700, parents=True)
        self._home.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._supervisor = asyncio.create_task(self._supervise())

    async def start(self, spec: ReplicaSpec) -> ProcessReplica:
        """Start an instance; see `Engine.start`."""
        scratch = self._scratch / spec.id
        write_files(scratch / "bentoml", spec.files)
        # The path of a socket may have 103 bytes, an id alone has up to 68: hence the digest.
        # On the loop's own thread, the main one: the kernel then ends the replica when this process dies.
        zygote = self._zygotes.get(spec.python, spec.envs)
        file = record_of(spec.python, spec.bento)
        record = None if file.exists() else file
        launch = functools.partial(
            launch_replica,
            spec.python,
            spec.bento,
            self._home.sockets / f"{hashlib.sha256(spec.id.encode()).hexdigest()[:16]}.sock",
            service=spec.service,
            envs=spec.envs,
            log=self._home.logs / "deployments" / spec.deployment / f"{spec.id}.log",
            scratch=scratch,
            cpus=spec.cpu,
            remotes=spec.remotes,
            zygote=zygote,
            record=record,
        )
        # A fork is waited for, elsewhere than on the loop.
        try:
            process = launch() if zygote is None else await asyncio.to_thread(launch)
        except OSError:
            shutil.rmtree(scratch, ignore_errors=True)  # files of secrets are in it
            raise
        replica = ProcessReplica(spec, process)
        if record is not None:
            replica.when_ready(lambda: self._zygotes.refresh(spec.python, spec.envs))
        self._replicas[spec.id] = replica
        return replica

    def prepare(self, name: str, spec: ReplicaSpec) -> None:
        """Have a zygote warm; see `Engine.prepare`."""
        if self._has_zygotes:
            self._zygotes.want(name, spec.python, spec.envs)

    def release(self, name: str) -> None:
        """Let the zygote go when nobody else may need it; see `Engine.release`."""
        self._zygotes.release(name)

    def zygotes(self) -> list[ZygoteView]:
        """The processes that are kept warm to fork instances."""
        return self._zygotes.views()

    async def close(self) -> None:
        """End the supervision, and instances that were not stopped."""
        if self._supervisor is not None:
            self._supervisor.cancel()
        for replica in self._replicas.values():
            await replica.stop(grace=0)
        self._replicas.clear()
        await asyncio.to_thread(self._zygotes.close)
        shutil.rmtree(self._scratch, ignore_errors=True)
        with contextlib.suppress(OSError):  # proofs have sockets there, too
            self._home.sockets.rmdir()

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(SUPERVISION_INTERVAL)
            try:
                self._measure()
                await asyncio.to_thread(self._zygotes.tend)
            except Exception:
                logger.exception("supervising the instances failed")

    def _measure(self) -> None:
        self._replicas = {key: each for key, each in self._replicas.items() if not each._ended.done()}
        if not self._replicas:
            return
        found = usage_by_group({each.process.pid for each in self._replicas.values()})
        now = time.monotonic()
        for replica in self._replicas.values():
            cap_log(replica.process.log)
            usage = found.get(replica.process.pid)
            if usage is None:
                continue
            replica.measured(usage, now)
            used = usage.memory_bytes
            limit = replica.spec.memory_bytes
            if used > limit:
                replica.kill(
                    f"it used {used / 2**30:.2f} GiB of memory; instance type "
                    f"{replica.spec.instance_type} has {limit / 2**30:g} GiB"
                )

    def _end_leftovers(self) -> None:
        """End instances of a run that was killed; their lifeline should have done it already."""
        program, cloud = str(REPLICA_PROGRAM), self._home.cloud.resolve()

        def is_ours(process: psutil.Process) -> bool:
            words = process.info["cmdline"] or []
            if str(FORKSERVER_PROGRAM) in words[:-1]:  # zygotes, and replicas that they forked
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    return bool(json.loads(words[-1])["home"] == str(self._home.root))
                return False
            if program not in words[:-1]:
                return False
            with contextlib.suppress(ValueError, KeyError, TypeError):
                return Path(json.loads(words[-1])["bento"]).is_relative_to(cloud)
            return False

        end_processes(is_ours)
        for socket in self._home.sockets.glob("*.sock"):
            socket.unlink(missing_ok=True)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below `folder`, from their first byte on for the owner's eyes only."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def end_processes(matches: Callable[[psutil.Process], bool]) -> None:
    """Kill this user's processes that match, with their process groups, and wait until they are gone."""
    ended = []
    for process in psutil.process_iter(["cmdline", "uids"]):
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            uids = process.info["uids"]
            if uids is None or uids.real != os.getuid() or not matches(process):
                continue
            logger.warning("ending process %d, which an earlier run left behind", process.pid)
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, 9)
            process.kill()
            ended.append(process)
    psutil.wait_procs(ended, timeout=10)


def usage_by_group(groups: set[int]) -> dict[int, Usage]:
    """What these process groups use."""
    found: dict[int, Usage] = {}
    for pid in psutil.pids():
        try:
            group = os.getpgid(pid)
            if group in groups:
                process = psutil.Process(pid)
                with process.oneshot():
                    usage = found.setdefault(group, Usage())
                    usage.memory_bytes += process.memory_info().rss
                    times = process.cpu_times()
                    usage.cpu_seconds += times.user + times.system
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue
    return found
