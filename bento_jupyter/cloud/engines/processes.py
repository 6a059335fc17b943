"""The default engine: instances are processes of this machine, in containers where they have an OCI image."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import json
import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
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
from ...spec import utc_now
from ...views import ColdStart, ZygoteView
from ...zygote import FORKSERVER_PROGRAM, can_fork
from ..logs import cap_log
from ..oci import OciImage
from .containers import end_leftover_containers, launch_container
from .engine import Node, Phase, ReplicaSpec, ReplicaState
from .gpus import Gpu, Gpus, find_gpus
from .memory import (
    Usage,
    bound_memory,
    is_out_of_memory,
    memory_words,
    out_of_memory,
    own_memory,
    start_without_memory,
    usage_by_group,
)
from .private_files import write_files
from .zygotes import Zygotes, record_of

__all__ = ["ProcessEngine", "ProcessReplica"]

logger = logging.getLogger(__name__)

#: Seconds between looks at the memory and the logs of instances.
SUPERVISION_INTERVAL = 1.0
#: Seconds that an instance may take to start.
START_TIMEOUT = 600.0
#: What CUDA reads for the GPUs that a process may see.
VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"


class ProcessReplica:
    """One process that serves a Bento, or waits for GPUs to do so; see `ReplicaHandle`.

    Args:
        spec: What to run.
        socket: Unix socket that it will serve on.
        stopped: Called when nothing of it is left.

    Attributes:
        process: Its process; None = it waits.
        gpus: The GPUs that it has.
        launching: The task that launches one that had to wait.
    """

    def __init__(self, spec: ReplicaSpec, socket: Path, stopped: Callable[[ProcessReplica], None]) -> None:
        self.spec = spec
        self.process: ReplicaProcess | None = None
        self.gpus: tuple[str, ...] = ()
        self.launching: asyncio.Task[None] | None = None
        self._socket = socket
        self._stopped: Callable[[ProcessReplica], None] | None = stopped
        self._started_at: datetime = utc_now()
        self._memory_bytes: int | None = None
        self._cpu: float | None = None
        self._cpu_seconds: tuple[float, float] | None = None
        self._kill_reason = ""
        self._loop = asyncio.get_running_loop()
        self._launched: asyncio.Future[None] = self._loop.create_future()
        self._reported: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[str] = self._loop.create_future()

    @property
    def socket(self) -> Path:
        """Unix socket that it serves on."""
        return self._socket

    @property
    def has_ended(self) -> bool:
        """Whether its process has ended."""
        return self._ended.done()

    def observe(self) -> ReplicaState:
        """How it is now; see `ReplicaHandle.observe`."""
        phase, reason = Phase.STARTING, ""
        if self._ended.done():
            phase, reason = Phase.ENDED, self._ended.result()
        elif self.process is None:
            count = self.spec.gpus
            which = "a GPU" if count == 1 else f"{count} GPUs"
            phase, reason = Phase.PENDING, f"it waits for {which}: other instances have them"
        elif self.process.ready:
            phase = Phase.READY
        return ReplicaState(
            id=self.spec.id,
            deployment=self.spec.deployment,
            node=socket.gethostname() if self.process else "",
            phase=phase,
            reason=reason,
            started_at=self._started_at,
            pid=self.process.pid if self.process else None,
            memory_bytes=self._memory_bytes,
            cpu=self._cpu,
            gpus=self.gpus,
        )

    async def ready(self) -> ColdStart:
        """Wait for its report; see `ReplicaHandle.ready`."""
        await asyncio.shield(self._launched)
        if self.process is None:
            raise ReplicaStartError(await self.ended())
        log = self.process.log
        try:
            await asyncio.wait_for(asyncio.shield(self._reported), START_TIMEOUT)
        except asyncio.TimeoutError:
            raise ReplicaStartError(
                f"not ready after {START_TIMEOUT:g} s (last phase: {self.process.last_phase})",
                log=log_tail(log),
            ) from None
        if not self.process.ready:
            reason = self.process.error or await self.ended()
            if is_out_of_memory(reason):
                reason = start_without_memory(reason, self.spec.memory_bytes, self.spec.instance_type)
            raise ReplicaStartError(reason, traceback=self.process.traceback, log=log_tail(log))
        phases = dict(self.process.phases)
        return ColdStart(at=self._started_at, seconds=round(sum(phases.values()), 6), phases=phases)

    async def ended(self) -> str:
        """Wait for its end; see `ReplicaHandle.ended`."""
        return await asyncio.shield(self._ended)

    async def stop(self, grace: float) -> None:
        """End it; see `ReplicaHandle.stop`."""
        if self._stopped is None:
            return
        if self.launching is not None:
            await asyncio.wait([self.launching])
        if self.process is None:
            self.failed("it was stopped before it was started")
        else:
            if not self._ended.done() and grace > 0:
                with contextlib.suppress(ProcessLookupError):
                    self.process.process.terminate()
                await asyncio.wait([self._ended], timeout=grace)
            self._close_report(self.process)
            if self.spec.image is None:
                self.process.kill()
            else:  # removing the container takes its time
                await asyncio.to_thread(self.process.kill)
        stopped, self._stopped = self._stopped, None
        if stopped is not None:
            stopped(self)

    def attach(self, process: ReplicaProcess, when_ready: Callable[[], None] | None) -> None:
        """It has its process from now on; have something called once that is ready."""
        self.process = process
        self._started_at = utc_now()
        self._launched.set_result(None)
        self._loop.add_reader(process.report_fd, self._read_report, process)
        if when_ready is not None:
            self._reported.add_done_callback(lambda _: when_ready() if process.ready else None)
        threading.Thread(
            target=self._watch, args=[process], name=f"watch-{self.spec.id}", daemon=True
        ).start()

    def failed(self, reason: str) -> None:
        """It could not be started."""
        for future in (self._launched, self._reported):
            if not future.done():
                future.set_result(None)
        if not self._ended.done():
            self._ended.set_result(reason)

    def measured(self, usage: Usage, now: float) -> None:
        """Note what it uses, and end it when that is too much.

        Args:
            usage: What it uses.
            now: Time of a clock that never goes back.
        """
        self._memory_bytes = usage.memory_bytes
        if self._cpu_seconds is not None:
            then, seconds = self._cpu_seconds
            # A process of its group that has ended takes its seconds with it.
            self._cpu = max(0.0, usage.cpu_seconds - seconds) / max(now - then, 0.001)
        self._cpu_seconds = (now, usage.cpu_seconds)
        if usage.memory_bytes > self.spec.memory_bytes and self.process is not None:
            # What is forked shares most of its pages with others.
            self._memory_bytes = used = own_memory(self.process.pid)
            if used > self.spec.memory_bytes:
                limit = self.spec.memory_bytes
                self._kill(self.process.pid, out_of_memory(used, limit, self.spec.instance_type))

    def _kill(self, pid: int, reason: str) -> None:
        """End it at once, and remember why."""
        self._kill_reason = reason
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, 9)

    def _read_report(self, process: ReplicaProcess) -> None:
        descriptor = process.report_fd
        if process.feed():
            self._loop.remove_reader(descriptor)
            if not self._reported.done():
                self._reported.set_result(None)

    def _close_report(self, process: ReplicaProcess) -> None:
        if process.report_fd >= 0:
            self._loop.remove_reader(process.report_fd)
        if not self._reported.done():
            self._reported.set_result(None)

    def _watch(self, process: ReplicaProcess) -> None:
        code = process.process.wait()
        reason = describe_exit(code)
        if process.out_of_memory:
            reason = (
                f"out of memory: the kernel ended it; instance type {self.spec.instance_type} has "
                f"{memory_words(self.spec.memory_bytes)}"
            )
        with contextlib.suppress(RuntimeError):  # the loop may be closed when the cloud ends
            self._loop.call_soon_threadsafe(self._note_end, reason)

    def _note_end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(self._kill_reason or reason)


class ProcessEngine:
    """Runs instances as processes of this machine, each in a process group of its own.

    One with an OCI image is in a container besides, whose limits the kernel holds. Of the others,
    CPU is shared by limits on the threads of BLAS and OpenMP; memory is measured once a second, and an
    instance that uses more than its instance type has is ended with that reason. GPUs are handed out by
    `CUDA_VISIBLE_DEVICES`: an instance sees its own, and none when its type has none.

    Args:
        home: Where sockets, logs and the instances' scratch folders are.
        zygotes: Whether instances are forked from processes that are kept warm, where the machine can.
        gpus: The GPUs that may be handed out; None = those of this machine.
    """

    def __init__(self, home: Home, *, zygotes: bool = True, gpus: Sequence[Gpu] | None = None) -> None:
        self._home = home
        self._has_zygotes = zygotes and can_fork()
        self._scratch = Path(tempfile.gettempdir()) / f"bento-jupyter-replicas-{os.getpid()}"
        self._replicas: dict[str, ProcessReplica] = {}
        self._gpus = Gpus(find_gpus() if gpus is None else gpus)
        self._zygotes = Zygotes(home.cloud / "scratch", home.logs / "zygotes", home.root)
        self._supervisor: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """End what an earlier run left behind, and begin to supervise."""
        await asyncio.to_thread(self._end_leftovers)
        await asyncio.to_thread(end_leftover_containers, self._home)
        self._scratch = self._home.cloud / "scratch"
        await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)
        self._scratch.mkdir(mode=0o700, parents=True)
        self._home.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._supervisor = asyncio.create_task(self._supervise())

    def capacity(self) -> list[Node]:
        """This machine; see `Engine.capacity`."""
        return [
            Node(
                name=socket.gethostname(),
                cpus=float(os.cpu_count() or 1),
                memory_bytes=psutil.virtual_memory().total,
                gpus=len(self._gpus.every),
                free_gpus=len(self._gpus.free),
                gpu_model=self._gpus.every[0].model if self._gpus.every else "",
            )
        ]

    async def start(self, spec: ReplicaSpec) -> ProcessReplica:
        """Start an instance; see `Engine.start`.

        Raises:
            ReplicaStartError: It needs more GPUs than there are.
            OSError: The machine refuses to.
        """
        if spec.gpus > len(self._gpus.every):
            raise ReplicaStartError(
                f"instance type {spec.instance_type} has {spec.gpus} GPUs; this machine has "
                f"{len(self._gpus.every) or 'none'}"
            )
        # The path of a socket may have 103 bytes, an id alone has up to 68: hence the digest.
        name = hashlib.sha256(spec.id.encode()).hexdigest()[:16]
        replica = ProcessReplica(spec, self._home.sockets / f"{name}.sock", self._stopped)
        given = self._gpus.ask(spec.id, spec.gpus) if spec.gpus else ()
        self._replicas[spec.id] = replica
        if given is not None:
            replica.gpus = given
            try:
                await self._launch(replica)
            except BaseException:
                self._stopped(replica)
                raise
        return replica

    def observe(self) -> list[ReplicaState]:
        """All instances; see `Engine.observe`."""
        return [each.observe() for each in self._replicas.values()]

    def logs(self, deployment: str = "") -> Path:
        """Folder of the logs; see `Engine.logs`."""
        return self._home.logs / "deployments" / deployment

    def prepare(self, name: str, spec: ReplicaSpec) -> None:
        """Have a zygote warm; see `Engine.prepare`."""
        if self._has_zygotes and not spec.gpus and spec.image is None:
            self._zygotes.want(name, spec.python, spec.envs)

    def release(self, name: str) -> None:
        """Let the zygote go when nobody else may need it; see `Engine.release`."""
        self._zygotes.release(name)

    def prepared(self) -> list[ZygoteView]:
        """The processes that are kept warm to fork instances."""
        return self._zygotes.views()

    async def close(self) -> None:
        """End the supervision, and instances that were not stopped."""
        if self._supervisor is not None:
            self._supervisor.cancel()
        # From the newest on: GPUs that one gives back would else start one that waits.
        for replica in list(self._replicas.values())[::-1]:
            await replica.stop(grace=0)
        self._replicas.clear()
        await asyncio.to_thread(self._zygotes.close)
        shutil.rmtree(self._scratch, ignore_errors=True)
        with contextlib.suppress(OSError):  # proofs have sockets there, too
            self._home.sockets.rmdir()

    async def _launch(self, replica: ProcessReplica) -> None:
        if replica.spec.image is None:
            await self._launch_process(replica)
        else:
            await self._launch_container(replica, replica.spec.image)

    async def _launch_container(self, replica: ProcessReplica, image: OciImage) -> None:
        spec = replica.spec
        process = await asyncio.to_thread(
            launch_container,
            image,
            replica.socket,
            name=f"bento-jupyter-{replica.socket.stem}",
            home=self._home,
            service=spec.service,
            envs=self._with_gpus(spec.envs, replica.gpus),
            files=spec.files,
            log=self.logs(spec.deployment) / f"{spec.id}.log",
            scratch=self._scratch / spec.id,
            cpus=spec.cpu,
            memory_bytes=spec.memory_bytes,
            gpus=replica.gpus,
            remotes=spec.remotes,
        )
        replica.attach(process, None)

    async def _launch_process(self, replica: ProcessReplica) -> None:
        spec = replica.spec
        scratch = self._scratch / spec.id
        write_files(scratch / "bentoml", spec.files)
        # CUDA cannot be used in what is forked.
        zygote = None if spec.gpus else self._zygotes.get(spec.python, spec.envs)
        file = record_of(spec.python, spec.bento)
        record = None if file.exists() else file
        launch = functools.partial(
            launch_replica,
            spec.python,
            spec.bento,
            replica.socket,
            service=spec.service,
            envs=self._with_gpus(spec.envs, replica.gpus),
            log=self.logs(spec.deployment) / f"{spec.id}.log",
            scratch=scratch,
            cpus=spec.cpu,
            remotes=spec.remotes,
            zygote=zygote,
            record=record,
        )
        # A fork is waited for, elsewhere than on the loop. A new interpreter is started on the loop's own
        # thread, the main one: the kernel then ends the replica when this process dies.
        try:
            process = launch() if zygote is None else await asyncio.to_thread(launch)
        except OSError:
            shutil.rmtree(scratch, ignore_errors=True)  # files of secrets are in it
            raise
        bound_memory(process.pid, spec.memory_bytes)
        refresh = functools.partial(self._zygotes.refresh, spec.python, spec.envs)
        replica.attach(process, None if record is None else refresh)

    async def _launch_late(self, replica: ProcessReplica) -> None:
        try:
            await self._launch(replica)
        except OSError as error:
            replica.failed(f"it could not start: {error}")

    def _with_gpus(self, envs: Mapping[str, str], gpus: Sequence[str]) -> dict[str, str]:
        """Environment variables that show an instance its GPUs; without any, the deployment may say more."""
        if gpus:
            return {**envs, VISIBLE_GPUS: ",".join(gpus)}
        return {VISIBLE_GPUS: "", **envs} if self._gpus.every else dict(envs)

    def _stopped(self, replica: ProcessReplica) -> None:
        self._replicas.pop(replica.spec.id, None)
        for owner, gpus in self._gpus.give_back(replica.spec.id).items():
            waiting = self._replicas[owner]
            waiting.gpus = gpus
            waiting.launching = asyncio.create_task(self._launch_late(waiting))

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(SUPERVISION_INTERVAL)
            try:
                self._measure()
                await asyncio.to_thread(self._zygotes.tend)
            except Exception:
                logger.exception("supervising the instances failed")

    def _measure(self) -> None:
        running = {
            each.process.pid: (each, each.process)
            for each in self._replicas.values()
            if each.process is not None and not each.has_ended
        }
        if not running:
            return
        found = usage_by_group(set(running))
        now = time.monotonic()
        for pid, (replica, process) in running.items():
            cap_log(process.log)
            if pid in found:
                replica.measured(found[pid], now)

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
        for left in self._home.sockets.glob("*.sock"):
            left.unlink(missing_ok=True)


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
